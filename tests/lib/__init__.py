"""What tests, benchmarks and soak share. Each of their folders has a link to it, so that each of their files runs by itself."""
from .case import Case
from .child import Answer, Server, StartError, call, free_port
from .programs import (BUILD, FAULTS, PLUGINS, ROOT, SIMULATOR, STEPPER, VARIANTS, Simulator, clean_environment, echo, launch,
                       link_plugins, provider, replace, run_stepper, serve_command, write_config)
from .waiting import wait_until
from .wire import Connection, connect, listens, raw_get, raw_post

__all__ = ["Answer", "BUILD", "Case", "Connection", "FAULTS", "PLUGINS", "ROOT", "SIMULATOR", "STEPPER", "Server", "Simulator",
           "StartError", "VARIANTS", "call", "clean_environment", "connect", "echo", "free_port", "launch", "link_plugins",
           "listens", "provider", "raw_get", "raw_post", "replace", "run_stepper", "serve_command", "wait_until", "write_config"]
