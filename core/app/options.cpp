#include "core/app/options.h"

#include "core/base/text.h"

namespace stepper::app {

Result<Options> parseOptions(const std::vector<std::string>& arguments) {
    Options out;
    for (size_t i = 0; i < arguments.size(); ++i) {
        const std::string& argument = arguments[i];
        if (argument == "--") {
            out.words.insert(out.words.end(), arguments.begin() + static_cast<std::ptrdiff_t>(i) + 1,
                             arguments.end());
            break;
        }
        if (!argument.starts_with("--")) {
            out.words.push_back(argument);
            continue;
        }
        const size_t equals = argument.find('=');
        const std::string name = argument.substr(0, equals);
        if (bool* flag = name == "--json"      ? &out.json
                         : name == "--async"   ? &out.async
                         : name == "--child"   ? &out.child
                         : name == "--recover" ? &out.recover
                                               : nullptr;
            flag && equals == std::string::npos) {
            *flag = true;
            continue;
        }
        auto* target = name == "--config"   ? &out.config
                       : name == "--listen" ? &out.listen
                       : name == "--server" ? &out.server
                                            : nullptr;
        if (!target) {
            const auto near =
                nearest(name, {"--config", "--listen", "--server", "--json", "--async", "--recover"});
            return Error{ErrorClass::Config,
                         "unknown option " + name + (near ? "; did you mean " + *near + "?" : "")};
        }
        if (equals == std::string::npos && i + 1 == arguments.size())
            return Error{ErrorClass::Config, name + " needs a value"};
        *target = equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1);
    }
    return out;
}

}  // namespace stepper::app
