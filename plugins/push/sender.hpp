// SPDX-License-Identifier: Apache-2.0
//
// The sender-thread: takes a block from the depot, asks the backend what to send and what the
// answer meant, and does not let go of the block before it is done or dropped. One request at a
// time, in order.
#pragma once

#include "push/backend.hpp"
#include "push/depot.hpp"
#include "push/http.hpp"
#include "push/retry.hpp"

#include <latmon/latmon.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>

namespace latmon::plugins::push {

class Sender {
public:
    // All must outlive it. [main-thread]
    Sender(const Settings& settings, Backend& backend, HttpClient& client, Depot& depot);

    // Returns when the depot was told to stop and everything is sent, or time is up. Throws
    // nothing. [sender-thread]
    void run() noexcept;

    // What run() does again and again: waits for a block, and attempts it. [sender-thread]
    void run_once();

    // There is no attempt before; CLOCK_MONOTONIC. [sender-thread]
    [[nodiscard]] std::int64_t not_before_ns() const noexcept { return not_before_ns_; }

private:
    void say_farewell();

    // What became of the block, or would have: nothing is counted yet.
    [[nodiscard]] Verdict attempt(const Block& block);
    [[nodiscard]] Verdict attempt_unguarded(const Block& block);
    [[nodiscard]] Verdict send(const Block& block, const Request& request);
    [[nodiscard]] bool is_doubtful(const Block& block) const noexcept;
    void finish(const Block& block, Fate fate);
    void settle(const Block& block, Verdict verdict);

    void accept(const Block& block);
    void reject(const Block& block);
    void split(const Block& block);
    void fail(Verdict verdict);
    [[nodiscard]] milliseconds pause_after(Verdict verdict);

    Settings settings_;
    Backend& backend_;
    HttpClient& client_;
    Depot& depot_;
    Backoff backoff_;
    std::mt19937_64 random_{std::random_device{}()};

    bool is_prepared_ = false;
    std::uint64_t rows_max_;  // Less than batch_rows after a server found a block too large.
    std::int64_t not_before_ns_ = 0;
    std::uint64_t requests_counted_ = 0;
    bool is_stop_seen_ = false;
    bool is_done_ = false;

    // So many records at the front of the backlog may be at the server, without our knowing.
    std::size_t doubtful_records_ = 0;
    std::string settled_id_;  // But those of this block are not.

    // Of the last attempt.
    std::string reason_;
    std::optional<std::int64_t> retry_after_s_;

    // The log knows; and what to say when it is over.
    Verdict told_ = Verdict::done;
    std::int64_t failing_since_ns_ = 0;
    std::uint64_t failures_ = 0;
    std::uint64_t dropped_before_ = 0;
    std::int64_t rejection_told_ns_ = 0;
    std::uint64_t rows_rejected_ = 0;
    bool is_split_told_ = false;
};

}  // namespace latmon::plugins::push
