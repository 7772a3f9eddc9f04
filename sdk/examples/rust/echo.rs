//! A plugin in Rust without any crate: answers with the request's own JSON, sends nothing.
//!   rustc --crate-type cdylib --edition 2021 -O -C panic=abort -o echo-rust.so echo.rs
//! The structs mirror stepper/plugin_abi.h; panic=abort because nothing may unwind across the boundary.
#![allow(dead_code)] // all of the ABI is here, and this plugin uses little of it
use std::ffi::{c_char, c_void};
use std::{mem::size_of, ptr, slice};

#[repr(C)]
#[derive(Clone, Copy)]
pub struct Str {
    ptr: *const u8,
    len: usize,
}

impl Str {
    const fn of(text: &'static str) -> Str {
        Str { ptr: text.as_ptr(), len: text.len() }
    }
}

#[repr(C)]
pub struct Kv {
    key: Str,
    value: Str,
}

#[repr(C)]
pub struct TextOut {
    ptr: *mut u8,
    cap: usize,
    len: usize,
}

#[repr(C)]
pub struct Error {
    struct_size: u32,
    error_class: i32,
    http_status: i32,
    flags: u32,
    retry_after_ms: i64,
    message: Str,
    provider_code: Str,
}

#[repr(C)]
pub struct HttpRequest {
    struct_size: u32,
    body_mode: i32,
    auth_mode: i32,
    flags: u32,
    method: Str,
    url: Str,
    auth_name: Str,
    headers: *const Kv,
    header_count: usize,
    body: Str,
    timeout_ms: u32,
    idle_timeout_ms: u32,
    max_response_bytes: u64,
}

#[repr(C)]
pub struct Action {
    struct_size: u32,
    kind: i32,
    wait_ms: u32,
    flags: u32,
    request: HttpRequest,
    error: Error,
}

#[repr(C)]
pub struct Event {
    struct_size: u32,
    kind: i32,
    http_status: i32,
    io_error: i32,
    headers: *const Kv,
    header_count: usize,
    data: Str,
    name: Str,
    now_ms: u64,
    sink: *mut c_void,
    emit: extern "C" fn(*mut c_void, i32, Str),
}

#[repr(C)]
pub struct Host {
    struct_size: u32,
    abi_version: u32,
    ctx: *mut c_void,
    log: extern "C" fn(*mut c_void, i32, Str),
    get_extension: extern "C" fn(*mut c_void, *const c_char) -> *const c_void,
}

#[repr(C)]
pub struct Plugin {
    struct_size: u32,
    abi_version: u32,
    min_host_abi: u32,
    flags: u32,
    kind: Str,
    version: Str,
    config_schema: Str,
    capabilities: u64,
    init: extern "C" fn(*const Host) -> i32,
    deinit: Option<extern "C" fn()>,
    create: extern "C" fn(Str, *mut *mut c_void, *mut TextOut) -> i32,
    destroy: extern "C" fn(*mut c_void),
    begin: extern "C" fn(*mut c_void, i32, Str, *mut *mut c_void, *mut TextOut) -> i32,
    step: extern "C" fn(*mut c_void, *const Event, *mut Action),
    end: extern "C" fn(*mut c_void),
    get_extension: Option<extern "C" fn(*const c_char) -> *const c_void>,
}
unsafe impl Sync for Plugin {}

// As the C compiler lays them out on the 64-bit machines that Stepper runs on.
const _: () = assert!(size_of::<Error>() == 56 && size_of::<HttpRequest>() == 112 && size_of::<Action>() == 184);
const _: () = assert!(size_of::<Event>() == 88 && size_of::<Host>() == 32 && size_of::<Plugin>() == 136);

const OK: i32 = 0;
const E_UNSUPPORTED: i32 = 13;
const JOB_GENERATE: i32 = 0;
const EV_START: i32 = 0;
const OUT_TEXT: i32 = 0;
const OUT_FINISH: i32 = 3;
const DONE: i32 = 3;

extern "C" fn init(_host: *const Host) -> i32 {
    OK
}

extern "C" fn create(_config: Str, out: *mut *mut c_void, _error: *mut TextOut) -> i32 {
    unsafe { *out = ptr::null_mut() };
    OK
}

extern "C" fn destroy(_provider: *mut c_void) {}

extern "C" fn begin(_provider: *mut c_void, job: i32, request: Str, out: *mut *mut c_void, _error: *mut TextOut) -> i32 {
    if job != JOB_GENERATE {
        return E_UNSUPPORTED;
    }
    let copy = unsafe { slice::from_raw_parts(request.ptr, request.len) }.to_vec();
    unsafe { *out = Box::into_raw(Box::new(copy)) as *mut c_void };
    OK
}

extern "C" fn step(session: *mut c_void, event: *const Event, action: *mut Action) {
    let (request, event, action) = unsafe { (&*(session as *const Vec<u8>), &*event, &mut *action) };
    if event.kind == EV_START {
        (event.emit)(event.sink, OUT_TEXT, Str { ptr: request.as_ptr(), len: request.len() });
        (event.emit)(event.sink, OUT_FINISH, Str::of("stop"));
    }
    action.kind = DONE;
}

extern "C" fn end(session: *mut c_void) {
    drop(unsafe { Box::from_raw(session as *mut Vec<u8>) });
}

static PLUGIN: Plugin = Plugin {
    struct_size: size_of::<Plugin>() as u32,
    abi_version: 1 << 16,
    min_host_abi: 1 << 16,
    flags: 0,
    kind: Str::of("echo-rust"),
    version: Str::of("1.0.0"),
    config_schema: Str::of("{}"),
    capabilities: 0,
    init,
    deinit: None,
    create,
    destroy,
    begin,
    step,
    end,
    get_extension: None,
};

#[no_mangle]
pub extern "C" fn stepper_plugin_entry_v1() -> *const Plugin {
    &PLUGIN
}
