// What the bodies of requests may hold, as data, and what one holds beyond it. Pure, any thread.
#pragma once
#include "core/api/remarks.h"
#include "core/base/json.h"

namespace stepper::api {

enum class Use {
    Immediate,  // somebody waits for the answer
    Job,
};

// Adds a remark for each member at every level that is not known there, or does not count for this use.
void remarkOnGenerate(const json::Value& body, Use use, Remarks& out);
void remarkOnReport(const json::Value& body, Use use, Remarks& out);
// Of the batch itself and of its items; the items' requests are remarked on as they are read.
void remarkOnBatch(const json::Value& body, Remarks& out);

}  // namespace stepper::api
