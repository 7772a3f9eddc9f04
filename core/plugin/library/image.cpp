#include "core/plugin/library/image.h"

#include <algorithm>

#include <dlfcn.h>

#include "core/base/json.h"
#include "core/base/text.h"
#include "core/plugin/abi/views.h"
#include "core/plugin/proving/child_probe.h"
#include "core/plugin/proving/transcript.h"

namespace stepper::plugin {
namespace fs = std::filesystem;
namespace {

std::mutex log_mutex;
LogSink& logSink() {
    static LogSink sink;
    return sink;
}

extern "C" void hostLog(void*, int32_t level, stepper_str message) {
    try {
        if (const auto text = checkedView(message, 4096)) logOfPlugins(level, toValidUtf8(*text));
    } catch (const std::bad_alloc&) {
        // The plugin's frames are no place for an exception, and a line in a log is worth less.
    }
}

extern "C" const void* hostExtension(void*, const char*) { return nullptr; }

constexpr stepper_host kHost{sizeof(stepper_host), STEPPER_ABI_VERSION, nullptr, &hostLog, &hostExtension};

Error refused(const fs::path& file, std::string why) {
    return Error{ErrorClass::Config, file.string() + ": " + std::move(why)};
}

// What is wrong with the description, "" when nothing is.
std::string flaw(const stepper_plugin* p) {
    if (!p) return "its entry function returned nothing";
    if (p->struct_size < offsetof(stepper_plugin, get_extension))
        return "its description is shorter than ABI 1.0's";
    if (p->abi_version >> 16 != STEPPER_ABI_MAJOR)
        return "built for ABI major " + std::to_string(p->abi_version >> 16) + ", this host speaks " +
               std::to_string(STEPPER_ABI_MAJOR);
    if (p->min_host_abi > STEPPER_ABI_VERSION)
        return "needs a host of ABI " + std::to_string(p->min_host_abi >> 16) + "." +
               std::to_string(p->min_host_abi & 0xFFFF) + " or newer";
    if (!p->init || !p->create || !p->destroy || !p->begin || !p->step || !p->end)
        return "a required function of its description is missing";
    const auto kind = checkedView(p->kind, 64), version = checkedView(p->version, 64);
    const auto schema = checkedView(p->config_schema, 1u << 20);
    if (!kind || !isKind(*kind)) return "its kind is not 1 to 64 of a-z, 0-9 and -";
    if (!version || version->empty() || !isValidUtf8(*version)) return "its version is missing or no text";
    if (!schema || !json::parse(*schema)) return "its config schema is not JSON";
    return {};
}

Description describe(const stepper_plugin& table) {
    return {std::string(*checkedView(table.kind, 64)), std::string(*checkedView(table.version, 64)),
            std::string(*checkedView(table.config_schema, 1u << 20)), table.capabilities, table.abi_version};
}

Error reason(std::string why) { return Error{ErrorClass::Config, std::move(why)}; }

}  // namespace

bool isKind(std::string_view s) {
    return !s.empty() && s.size() <= 64 && std::all_of(s.begin(), s.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    });
}

void logOfPlugins(int level, std::string_view message) {
    std::lock_guard lock(log_mutex);
    if (logSink()) logSink()(level, message);
}

void setPluginLog(LogSink sink) {
    std::lock_guard lock(log_mutex);
    logSink() = std::move(sink);
}

Result<const stepper_plugin*> openImage(const fs::path& copy) {
    void* handle = ::dlopen(copy.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* why = ::dlerror();  // NOLINT(concurrency-mt-unsafe): thread-local in glibc
        return reason(std::string("cannot be loaded: ") + (why ? why : "unknown reason"));
    }
    const auto entry = reinterpret_cast<stepper_entry_fn>(::dlsym(handle, STEPPER_ENTRY_SYMBOL));
    if (!entry) return reason("exports no " STEPPER_ENTRY_SYMBOL);
    try {
        const stepper_plugin* table = entry();
        if (std::string why = flaw(table); !why.empty()) return reason(why);
        if (const auto status = table->init(&kHost); status != STEPPER_OK)
            return reason("its init refused to start (status " + std::to_string(status) + ")");
        return table;
    } catch (...) {
        return reason("threw an exception across the C boundary while starting");
    }
}

Result<void> PluginImage::map() const {
    std::lock_guard lock(mapping_);
    if (table_) return {};
    copy_.keepForEver();
    auto table = openImage(copy_.path());
    if (!table) return refused(file_, table.error().message);
    if (!description_.kind.empty() && describe(**table).kind != description_.kind)
        return refused(file_, "calls itself otherwise here than in its probe");
    table_ = *table;
    return {};
}

void PluginImage::deinit() const {
    const std::unique_lock lock(mapping_, std::try_to_lock);
    if (!lock) return;
    if (table_ && table_->deinit) table_->deinit();
    table_ = nullptr;
}

std::string_view PluginImage::embeddedTranscripts() const {
    if (!STEPPER_HAS(table_, stepper_plugin, get_extension) || !table_->get_extension) return {};
    const auto* text = static_cast<const stepper_str*>(table_->get_extension(STEPPER_EXT_TRANSCRIPTS));
    return text ? checkedView(*text, kMaxTranscriptBytes).value_or("") : std::string_view{};
}

Result<std::shared_ptr<const PluginImage>> PluginImage::open(const fs::path& copy) {
    auto table = openImage(copy);
    if (!table) return std::move(table).error();
    std::shared_ptr<PluginImage> image(new PluginImage(copy, PrivateCopy(copy)));
    image->table_ = *table;
    image->description_ = describe(**table);
    return std::shared_ptr<const PluginImage>(std::move(image));
}

Result<std::shared_ptr<const PluginImage>> PluginImage::load(const fs::path& file,
                                                             const LoadOptions& options) {
    const auto read = readPluginFile(file);
    if (!read) return read.error();
    return load(*read, options);
}

Result<std::shared_ptr<const PluginImage>> PluginImage::load(const PluginFile& file,
                                                             const LoadOptions& options) {
    auto copy = PrivateCopy::make(file, options.copies_dir);
    if (!copy) return std::move(copy).error();
    std::shared_ptr<PluginImage> image(new PluginImage(file.path, std::move(copy).value()));
    image->sha256_ = file.sha256;
    image->program_ = options.probe_program;
    image->errands_ = options.errands;
    if (options.probe_program.empty()) {
        if (auto mapped = image->map(); !mapped) return std::move(mapped).error();
        image->description_ = describe(*image->table_);
        return std::shared_ptr<const PluginImage>(std::move(image));
    }
    auto description = probeInChild(options.probe_program, image->copy_,
                                    {options.configs, sidecarTranscripts(file.path)}, options.probe_timeout);
    if (!description) {
        std::error_code ignored;  // a folder of refused files is untidy, no more
        fs::remove(image->copy_.file(), ignored);
        description.error().message = refused(file.path, description.error().message).message;
        return std::move(description).error();
    }
    image->description_ = std::move(description).value();
    return std::shared_ptr<const PluginImage>(std::move(image));
}

}  // namespace stepper::plugin
