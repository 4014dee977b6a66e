// SPDX-License-Identifier: Apache-2.0
//
// The way back for one answer, from whatever thread makes it. Exactly one answer is given for every
// request: the first counts, and if all copies go without one, that is an answer too (500). It does
// not know to whom it leads.
#pragma once

#include "admin/http_message.hpp"

#include <atomic>
#include <functional>
#include <memory>
#include <utility>

namespace latmon {

class Responder {
public:
    // `deliver` is called once, on the thread that answers; it must not throw.
    explicit Responder(std::function<void(HttpAnswer)> deliver)
        : way_(std::make_shared<Way>(std::move(deliver))) {}

    // [any-thread]
    void operator()(HttpAnswer answer) const { way_->give(std::move(answer)); }

private:
    struct Way {
        explicit Way(std::function<void(HttpAnswer)> to) : deliver(std::move(to)) {}
        ~Way() { give(text_answer(500, "this request came to no answer; see latmon's log")); }
        Way(const Way&) = delete;
        Way& operator=(const Way&) = delete;

        void give(HttpAnswer answer) {
            if (!is_given.exchange(true, std::memory_order_relaxed)) deliver(std::move(answer));
        }

        std::function<void(HttpAnswer)> deliver;
        std::atomic<bool> is_given{false};  // Between threads that answer at once.
    };

    std::shared_ptr<Way> way_;
};

}  // namespace latmon
