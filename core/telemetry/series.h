// The series of one metric family, found again by the values of their labels without building those anew: for
// hot paths. Values must come from fixed sets or the configuration, since nothing is ever removed. Safe from
// any thread.
#pragma once
#include <functional>
#include <initializer_list>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <prometheus/family.h>
#include <prometheus/histogram.h>

namespace stepper {

template <typename Metric>
class Series {
public:
    // `family` outlives it. `buckets`: of histograms.
    Series(prometheus::Family<Metric>& family, std::vector<std::string> labels,
           prometheus::Histogram::BucketBoundaries buckets = {})
        : family_(family), labels_(std::move(labels)), buckets_(std::move(buckets)) {}

    // One value for each label, in their order.
    Metric& operator()(std::initializer_list<std::string_view> values) {
        thread_local std::string key;
        key.clear();
        for (const auto value : values) key.append(value).push_back('\0');
        {
            std::shared_lock lock(mutex_);
            if (const auto known = known_.find(std::string_view(key)); known != known_.end())
                return *known->second;
        }
        std::lock_guard lock(mutex_);
        return *known_.try_emplace(key, &make(values)).first->second;
    }

private:
    Metric& make(std::initializer_list<std::string_view> values) {
        prometheus::Labels labels;
        auto value = values.begin();
        for (const auto& label : labels_) labels.emplace(label, *value++);
        if constexpr (std::is_same_v<Metric, prometheus::Histogram>) {
            return family_.Add(labels, buckets_);
        } else {
            return family_.Add(labels);
        }
    }

    prometheus::Family<Metric>& family_;
    const std::vector<std::string> labels_;
    const prometheus::Histogram::BucketBoundaries buckets_;
    std::shared_mutex mutex_;
    std::map<std::string, Metric*, std::less<>> known_;
};

}  // namespace stepper
