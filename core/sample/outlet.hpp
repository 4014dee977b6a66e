// SPDX-License-Identifier: Apache-2.0
//
// Where a core-thread's samples leave it: one queue per exporter. Owned by one core-thread;
// emitting never waits and never allocates.
#pragma once

#include "sample/sample_queue.hpp"

#include <vector>

namespace latmon {

class SampleOutlet {
public:
    // The queues of this core, one per exporter; they outlive the outlet. [before start]
    explicit SampleOutlet(std::vector<SampleQueue*> queues) : queues_(std::move(queues)) {}

    // Gives a copy to every exporter that takes its kind. [core-thread]
    void emit(const Sample& sample) noexcept {
        for (SampleQueue* const queue : queues_)
            queue->emit(sample);
    }

    [[nodiscard]] const std::vector<SampleQueue*>& queues() const noexcept { return queues_; }

private:
    std::vector<SampleQueue*> queues_;
};

}  // namespace latmon
