// SPDX-License-Identifier: Apache-2.0
//
// Where a core-thread's samples leave it: one queue per exporter, and one for the statistics. Owned
// by one core-thread; emitting never waits and never allocates, nor does the coming and going of
// queues.
#pragma once

#include "base/assert.hpp"
#include "sample/sample_queue.hpp"

#include <algorithm>
#include <vector>

namespace latmon {

class SampleOutlet {
public:
    // The queues of this core, one per exporter, and the one of the statistics, which may be null;
    // they outlive the outlet, or are taken out. [before start]
    explicit SampleOutlet(std::vector<SampleQueue*> queues, SampleQueue* stats = nullptr)
        : queues_(std::move(queues)), stats_(stats) {
        queues_.reserve(std::max<std::size_t>(limits::consumers_max, queues_.size()));
    }

    // At most limits::consumers_max at once. [core-thread]
    void add(SampleQueue& queue) noexcept {
        LATMON_ASSERT(queues_.size() < queues_.capacity());
        queues_.push_back(&queue);
    }
    // Nothing is pushed into it any more. [core-thread]
    void remove(const SampleQueue& queue) noexcept { std::erase(queues_, &queue); }

    // The statistics take samples from now on. [core-thread]
    void set_stats(SampleQueue& queue) noexcept { stats_ = &queue; }

    // Gives a copy to every exporter that takes its kind, and to the statistics. [core-thread]
    void emit(const Sample& sample) noexcept {
        for (SampleQueue* const queue : queues_)
            queue->emit(sample);
        if (stats_ != nullptr) stats_->emit(sample);
    }

    [[nodiscard]] const std::vector<SampleQueue*>& queues() const noexcept { return queues_; }
    [[nodiscard]] const SampleQueue* stats() const noexcept { return stats_; }

private:
    std::vector<SampleQueue*> queues_;
    SampleQueue* stats_;
};

}  // namespace latmon
