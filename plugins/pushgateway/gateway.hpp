// SPDX-License-Identifier: Apache-2.0
//
// Requests to a Pushgateway: the group of this node is replaced as a whole, which is what PUT does
// there. Used on the sender-thread, but for Turn.
#pragma once

#include "push/backend.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

namespace latmon::plugins::pushgateway {

struct Group {
    std::string url;            // Of the gateway, without '/' at its end.
    std::string job;            // Never empty: the gateway refuses that.
    std::string instance;       // "": the label is not there.
    std::string path;           // Further labels, as path segments.
    std::string authorization;  // The header, or "".
};

// One push at a time: each replaces the one before, so that the next must wait until that could be
// scraped. The exporter-thread begins a push, the sender-thread ends it.
class Turn {
public:
    explicit Turn(std::int64_t now_ns) : ended_ns_(now_ns) {}

    // [exporter-thread]
    void begin() noexcept { is_under_way_.store(true, std::memory_order_release); }
    // It was taken, or never will be; CLOCK_MONOTONIC. [sender-thread]
    void end(std::int64_t now_ns) noexcept {
        ended_ns_.store(now_ns, std::memory_order_relaxed);
        is_under_way_.store(false, std::memory_order_release);
    }
    // True if none is under way and the last, or the start, is `interval_ns` ago. [exporter-thread]
    [[nodiscard]] bool is_due(std::int64_t now_ns, std::int64_t interval_ns) const noexcept {
        return !is_under_way_.load(std::memory_order_acquire) &&
               now_ns - ended_ns_.load(std::memory_order_relaxed) >= interval_ns;
    }

private:
    std::atomic<bool> is_under_way_ = false;
    std::atomic<std::int64_t> ended_ns_;
};

class Gateway final : public push::Backend {
public:
    // `turn`: null if payloads are whole bodies, of which the last says it all; else they are rows
    // of the ancestor's shape, and the turn is ended with each push.
    Gateway(Group group, std::shared_ptr<Turn> turn, bool does_delete)
        : group_(std::move(group)), turn_(std::move(turn)), does_delete_(does_delete) {}

    [[nodiscard]] push::Request build(const push::Block& block) override;
    [[nodiscard]] push::Verdict judge(const push::Response& response, std::string& reason) override;
    [[nodiscard]] std::optional<push::Request> farewell() override;

private:
    [[nodiscard]] push::Request request(const char* method) const;

    Group group_;
    std::shared_ptr<Turn> turn_;
    bool does_delete_;
};

}  // namespace latmon::plugins::pushgateway
