#include "core/prompt/question.h"

namespace stepper::prompt {

void addWishes(json::Document& identity, const Wishes& wishes) {
    auto& a = identity.GetAllocator();
    if (!wishes.request_id.empty()) json::set(identity, "requestId", wishes.request_id, a);
    if (wishes.temperature) json::set(identity, "temperature", json::Value(*wishes.temperature), a);
    if (!wishes.model.empty()) json::set(identity, "model", wishes.model, a);
}

}  // namespace stepper::prompt
