#include <algorithm>
#include <cstdio>

#include "core/app/configuration.h"
#include "core/app/program.h"
#include "core/app/verbs.h"
#include "core/base/temporary_folder.h"
#include "core/base/units.h"
#include "core/config/defaults.h"
#include "core/engine/chat_request.h"
#include "core/engine/judge.h"
#include "core/prompt/generic_prompt.h"
#include "core/telemetry/log.h"

namespace stepper::app {
namespace {

// JSON where it is some, a text otherwise: `max_tokens=16` is a number, `model=m-1` a text.
json::Value valueOf(const std::string& text, json::Allocator& a) {
    const auto parsed = json::parse(text);
    return parsed ? json::Value(*parsed, a) : json::text(text, a);
}

// Sets the member that "options.mode" names; objects on the way are made.
void setAt(json::Value& object, std::string_view key, json::Value value, json::Allocator& a) {
    const size_t dot = key.find('.');
    const json::Value name = json::text(key.substr(0, dot), a);
    if (dot == std::string_view::npos) {
        object.RemoveMember(name);
        return json::set(object, key, std::move(value), a);
    }
    if (!object.HasMember(name) || !object[name].IsObject()) {
        object.RemoveMember(name);
        json::set(object, key.substr(0, dot), json::Value(rapidjson::kObjectType), a);
    }
    setAt(object[name], key.substr(dot + 1), std::move(value), a);
}

// A configuration with one provider, made of KEY=VALUE settings as providers.yaml would have them.
Result<config::Config> configOf(const Options& options, const std::string& kind) {
    Surroundings around;
    if (const auto found = surround(options, around); !found) return found.error();
    json::Document d(rapidjson::kObjectType);
    auto& a = d.GetAllocator();
    json::Value provider(rapidjson::kObjectType);
    json::set(provider, "name", "tried", a);
    json::set(provider, "plugin", kind, a);
    for (const auto& setting : options.set) {
        const size_t equals = setting.find('=');
        if (equals == 0 || equals == std::string::npos)
            return Error{ErrorClass::Config, "--set " + setting + ": expected KEY=VALUE, such as model=m-1"};
        setAt(provider, setting.substr(0, equals), valueOf(setting.substr(equals + 1), a), a);
    }
    json::Value list(rapidjson::kArrayType);
    list.PushBack(provider, a);
    json::set(d, "providers", std::move(list), a);
    const std::string yaml = json::dump(d);  // JSON is YAML
    config::Sources sources;
    sources.stepper_yaml = config::defaultStepperYaml();
    sources.stepper_name = "built-in stepper.yaml";
    sources.providers_yaml = yaml;
    sources.providers_name = "--set";
    return config::parse(sources, around.environment);
}

// The provider to try it as, alone.
Result<config::Config> chosen(config::Config config, const Options& options, const std::string& kind) {
    const auto fits = [&](const config::Provider& p) {
        return options.provider ? p.name == *options.provider : p.plugin == kind;
    };
    const auto it = std::find_if(config.providers.begin(), config.providers.end(), fits);
    if (it == config.providers.end())
        return Error{ErrorClass::Config,
                     (options.provider ? "there is no provider " + *options.provider
                                       : "no provider has `plugin: " + kind + "`") +
                         " in the configuration; add one, or say --set base_url=URL --set model=NAME"};
    if (it->plugin != kind)
        return Error{ErrorClass::Config,
                     "provider " + it->name + " has `plugin: " + it->plugin + "`, this is a " + kind};
    config.providers = {*it};
    return config;
}

Result<plugin::Answer> ask(const engine::ProviderEntry& entry, const std::string& prompt) {
    auto body = std::make_shared<json::Document>(rapidjson::kObjectType);
    json::set(*body, "prompt", prompt, body->GetAllocator());
    engine::GenerateRequest request;
    request.question = std::make_shared<const prompt::GenericPrompt>(std::move(body));
    const auto messages = engine::messagesFor(request, entry.spec, false);
    if (!messages) return messages.error();

    transport::CurlTransport transport;
    const SystemClock clock;
    CancelToken cancel;
    engine::NobodyListens listener;
    auto got = engine::attempt(entry, entry.keyFor(entry.targets.front()),
                               engine::chatRequestJson(request, entry.spec, *messages, entry.spec.stream),
                               {clock.now() + entry.spec.timeout, cancel, transport, clock}, listener);
    if (auto why = engine::whyNone(got)) return *std::move(why);
    return std::move(got.answer);
}

int tell(const Error& error) {
    std::string about;
    if (error.http_status) about += ", HTTP " + std::to_string(error.http_status);
    if (!error.provider_code.empty()) about += ", code " + error.provider_code;
    if (error.retry_after) about += ", retry after " + formatDuration(*error.retry_after);
    return complain(std::string(name(error.error_class)) + about + ": " + error.message);
}

}  // namespace

int pluginTry(const Options& options) {
    if (!options.set.empty() && (options.config || options.provider))
        return complain(
            "--set makes a provider of its own: a setting of another belongs into its configuration",
            kExitUsage);
    log::init("warn", "text");
    const TemporaryFolder copies;
    const auto image = plugin::PluginImage::load(options.so, loadOptions(copies.path()));
    if (!image) return complain(image.error().message);
    const std::string& kind = (*image)->kind();

    auto config = options.set.empty() ? loadConfig(options) : configOf(options, kind);
    if (!config) return complain(config.error().message, kExitConfig);
    config = chosen(std::move(config).value(), options, kind);
    if (!config) return complain(config.error().message, kExitConfig);

    plugin::Catalog catalog;
    catalog.by_kind.emplace(kind, *image);
    const SystemClock clock;
    engine::Gates gates(clock);
    const auto snapshot = engine::buildSnapshot(std::move(config).value(), std::move(catalog), gates, 1);
    const auto& entry = snapshot->providers.front();
    if (!entry.enabled())
        return complain("provider " + entry.spec.name + ": " + entry.disabled_reason, kExitConfig);

    const auto prompt = promptOf(options);
    if (!prompt) return kExitUsage;
    const auto answer = ask(entry, *prompt);
    if (!answer) return tell(answer.error());
    std::printf("%s\n", answer->text.c_str());
    return kExitOk;
}

}  // namespace stepper::app
