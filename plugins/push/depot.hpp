// SPDX-License-Identifier: Apache-2.0
//
// Where the exporter-thread and the sender-thread meet: the backlog, when the next block is due,
// and the accounts of every row, under one mutex. It is never held while a request is under way.
#pragma once

#include "push/backlog.hpp"
#include "push/settings.hpp"
#include "support/counters.hpp"

#include <latmon/latmon.h>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>

namespace latmon::plugins::push {

// What became of the rows of a block.
enum class Fate : std::uint8_t { sent, rejected };

// In rows; see pusher.hpp.
struct Accounts {
    std::uint64_t appended = 0;
    std::uint64_t sent = 0;
    std::uint64_t rejected = 0;
    std::uint64_t abandoned = 0;
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
    Backlog::Counts backlog;

    [[nodiscard]] bool is_balanced() const noexcept {
        return appended + backlog.recovered ==
               sent + rejected + backlog.dropped + backlog.superseded + backlog.waiting + abandoned;
    }
};

class Depot {
public:
    // `what` stands before every line in the log. [main-thread & in create()]
    Depot(const latmon_host_t* host, const Settings& settings, std::unique_ptr<Backlog> backlog,
          std::string what);
    ~Depot();
    Depot(const Depot&) = delete;
    Depot& operator=(const Depot&) = delete;

    // False if the rows of `record` are dropped. [exporter-thread]
    [[nodiscard]] bool put(Record record);
    // The next block is due now, full or not. [any-thread]
    void flush();
    // Everything is due now, and whoever waits has until then; CLOCK_MONOTONIC. [main-thread]
    void stop_at(std::int64_t monotonic_ns);

    // Returns when a block is due and it is `not_before_ns`, or when latmon stops: at once the
    // first time, then too when nothing waits or time is up. [sender-thread]
    void wait(std::int64_t not_before_ns);
    [[nodiscard]] bool is_stopping() const;
    [[nodiscard]] bool is_time_up() const;
    // What stop_at() was told; the largest number before. [any-thread]
    [[nodiscard]] std::int64_t stop_ns() const;
    // When wait() returns if nothing else happens and nothing keeps it: CLOCK_MONOTONIC, 0 for at
    // once, the largest number for never. [any-thread]
    [[nodiscard]] std::int64_t next_due_ns() const;

    // As Backlog. What the block refers to stays until the next of these three calls.
    // [sender-thread]
    [[nodiscard]] Block take(const BlockLimits& limits);
    void shorten(std::size_t records);
    void finish(const Block& block, Fate fate);

    // The last take() gave no records although rows waited. [sender-thread]
    [[nodiscard]] bool is_stalled() const;

    void count_requests(std::uint64_t count);  // [sender-thread]
    void count_failure();                      // [sender-thread]

    // What will not be sent any more, unless it lasts, is abandoned. [sender-thread]
    void abandon();

    [[nodiscard]] Accounts accounts() const;  // [any-thread]
    // True if what waits will be there when latmon starts again. [any-thread]
    [[nodiscard]] bool is_lasting() const noexcept { return backlog_->is_lasting(); }

    // Writes a line to latmon's log. [any-thread]
    void log(latmon_log_level_t level, const std::string& text) const;

private:
    struct Published;

    // All with `mutex_` held.
    [[nodiscard]] std::int64_t due_ns() const noexcept;
    [[nodiscard]] bool is_full_block() const noexcept;
    void look_after();
    void report_fault();
    void report_dropping();

    const latmon_host_t* host_;
    std::string what_;
    std::uint64_t batch_rows_;
    std::uint64_t batch_bytes_;
    std::int64_t flush_interval_ns_;

    mutable std::mutex mutex_;
    std::condition_variable changed_;
    std::unique_ptr<Backlog> backlog_;
    std::unique_ptr<Published> published_;
    Accounts accounts_;
    // When the first of the rows that wait, beyond the block under way, has waited long enough.
    std::int64_t flush_due_ns_;
    std::int64_t block_due_ns_;  // As it was for the first row of the block under way.
    std::int64_t stop_ns_;
    bool is_stalled_ = false;
    bool has_block_ = false;  // One is under way.
    bool is_stop_seen_ = false;
    bool is_dropping_ = false;      // Said in the log, for as long as drops follow one another.
    std::int64_t dropping_ns_ = 0;  // The last one.
    std::uint64_t dropped_seen_ = 0;
    std::string fault_seen_;
    std::uint64_t dropped_at_fault_ = 0;
};

}  // namespace latmon::plugins::push
