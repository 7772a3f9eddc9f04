#include "core/app/options.h"

#include <map>

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
        const std::map<std::string_view, std::optional<std::string>*> named = {
            {"--config", &out.config}, {"--listen", &out.listen},   {"--provider", &out.provider},
            {"--seed", &out.seed},     {"--seconds", &out.seconds}, {"--server", &out.server}};
        const auto target = named.find(name);
        if (target == named.end() && name != "--set") {
            const auto near = nearest(name, {"--config", "--listen", "--server", "--json", "--async",
                                             "--recover", "--provider", "--seconds", "--seed", "--set"});
            return Error{ErrorClass::Config,
                         "unknown option " + name + (near ? "; did you mean " + *near + "?" : "")};
        }
        if (equals == std::string::npos && i + 1 == arguments.size())
            return Error{ErrorClass::Config, name + " needs a value"};
        std::string value = equals == std::string::npos ? arguments[++i] : argument.substr(equals + 1);
        if (target == named.end()) {
            out.set.push_back(std::move(value));
        } else {
            *target->second = std::move(value);
        }
    }
    return out;
}

}  // namespace stepper::app
