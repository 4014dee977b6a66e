// SPDX-License-Identifier: Apache-2.0
//
// Lines in the log are written with the mutex held, at a change of state only: they must not
// overtake each other.
#include "push/depot.hpp"

#include "push/http.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

namespace latmon::plugins::push {
namespace {

constexpr std::int64_t never_ns = std::numeric_limits<std::int64_t>::max();

// Without drops for so long, the next one is news again. Under a steady overload, rows are dropped
// and taken in turn.
constexpr std::int64_t drop_silence_ns = 10'000'000'000;

std::chrono::steady_clock::time_point at(std::int64_t monotonic_ns) noexcept {
    // libstdc++'s steady_clock is CLOCK_MONOTONIC.
    return std::chrono::steady_clock::time_point(std::chrono::nanoseconds(monotonic_ns));
}

}  // namespace

struct Depot::Published {
    Published(const latmon_host_t* host, const std::string& prefix)
        : appended(host, (prefix + "_rows_appended_total").c_str()),
          sent(host, (prefix + "_rows_sent_total").c_str()),
          rejected(host, (prefix + "_rows_rejected_total").c_str()),
          dropped(host, (prefix + "_rows_dropped_total").c_str()),
          superseded(host, (prefix + "_rows_superseded_total").c_str()),
          abandoned(host, (prefix + "_rows_abandoned_total").c_str()),
          waiting(host, (prefix + "_rows_waiting").c_str()),
          recovered(host, (prefix + "_rows_recovered_total").c_str()),
          requests(host, (prefix + "_requests_total").c_str()),
          failures(host, (prefix + "_failures_total").c_str()),
          torn(host, (prefix + "_spool_torn_total").c_str()),
          corrupt(host, (prefix + "_spool_corrupt_total").c_str()) {}

    void publish(const Accounts& accounts) noexcept {
        appended.set(accounts.appended);
        sent.set(accounts.sent);
        rejected.set(accounts.rejected);
        dropped.set(accounts.backlog.dropped);
        superseded.set(accounts.backlog.superseded);
        abandoned.set(accounts.abandoned);
        waiting.set(accounts.backlog.waiting);
        recovered.set(accounts.backlog.recovered);
        requests.set(accounts.requests);
        failures.set(accounts.failures);
        torn.set(accounts.backlog.torn);
        corrupt.set(accounts.backlog.corrupt);
    }

    Counter appended, sent, rejected, dropped, superseded, abandoned, waiting, recovered, requests,
        failures, torn, corrupt;
};

Depot::Depot(const latmon_host_t* host, const Settings& settings, std::unique_ptr<Backlog> backlog,
             std::string what)
    : host_(host),
      what_(std::move(what)),
      batch_rows_(settings.batch_rows),
      batch_bytes_(settings.batch_bytes),
      flush_interval_ns_(std::chrono::nanoseconds(settings.flush_interval).count()),
      backlog_(std::move(backlog)),
      published_(std::make_unique<Published>(host, settings.counters)),
      flush_due_ns_(never_ns),
      block_due_ns_(never_ns),
      stop_ns_(never_ns) {
    if (backlog_->counts().waiting > 0) flush_due_ns_ = 0;  // Older than this process.
    look_after();
}

Depot::~Depot() = default;

// -- exporter-thread, main-thread ----------------------------------------------------------------

bool Depot::put(Record record) {
    const std::lock_guard<std::mutex> lock(mutex_);
    accounts_.appended += record.rows;
    const bool is_taken = backlog_->push(std::move(record));
    const bool is_first = flush_due_ns_ == never_ns;
    if (is_taken && is_first) flush_due_ns_ = monotonic_ns() + flush_interval_ns_;
    look_after();
    // Not for each record: to wake a thread costs more than to take one.
    if (is_first || is_full_block()) changed_.notify_one();
    return is_taken;
}

void Depot::flush() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (flush_due_ns_ != never_ns) flush_due_ns_ = 0;
    changed_.notify_one();
}

void Depot::stop_at(std::int64_t monotonic_ns) {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ns_ = monotonic_ns;
    changed_.notify_one();
}

// -- sender-thread -------------------------------------------------------------------------------

bool Depot::is_full_block() const noexcept {
    const Backlog::Counts& counts = backlog_->counts();
    return counts.waiting >= batch_rows_ || counts.waiting_bytes >= batch_bytes_;
}

std::int64_t Depot::next_due_ns() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return due_ns();
}

std::int64_t Depot::due_ns() const noexcept {
    if (has_block_ || is_full_block()) return 0;
    if (stop_ns_ != never_ns && backlog_->counts().waiting > 0) return 0;
    return flush_due_ns_;
}

void Depot::wait(std::int64_t not_before_ns) {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
        const bool is_stopping = stop_ns_ != never_ns;
        if (is_stopping && !std::exchange(is_stop_seen_, true)) return;
        const std::int64_t now_ns = monotonic_ns();
        if (is_stopping && (now_ns >= stop_ns_ || backlog_->counts().waiting == 0)) return;
        const std::int64_t wake_ns = std::min(std::max(not_before_ns, due_ns()), stop_ns_);
        if (now_ns >= wake_ns) return;
        if (wake_ns == never_ns) {
            changed_.wait(lock);
        } else {
            changed_.wait_until(lock, at(wake_ns));
        }
    }
}

bool Depot::is_stopping() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stop_ns_ != never_ns;
}

std::int64_t Depot::stop_ns() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return stop_ns_;
}

bool Depot::is_stalled() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return is_stalled_;
}

bool Depot::is_time_up() const {
    return monotonic_ns() >= stop_ns();
}

Block Depot::take(const BlockLimits& limits) {
    const std::lock_guard<std::mutex> lock(mutex_);
    Block block = backlog_->take(limits);
    const bool is_new = !has_block_;
    has_block_ = !block.records.empty();
    const std::uint64_t waiting = backlog_->counts().waiting;
    if (has_block_ && is_new) {
        block_due_ns_ = flush_due_ns_;
        // What did not fit keeps the time of what did: it is not known any better, and after an
        // outage it is as late.
        if (block.rows >= waiting) flush_due_ns_ = never_ns;
    }
    is_stalled_ = !has_block_ && waiting > 0;
    if (waiting == 0) flush_due_ns_ = never_ns;  // Perhaps the spool lost what waited.
    look_after();
    return block;
}

void Depot::shorten(std::size_t records) {
    const std::lock_guard<std::mutex> lock(mutex_);
    backlog_->shorten(records);
    flush_due_ns_ = std::min(flush_due_ns_, block_due_ns_);
    look_after();
}

void Depot::finish(const Block& block, Fate fate) {
    const std::uint64_t rows = block.rows;
    const std::lock_guard<std::mutex> lock(mutex_);
    (fate == Fate::sent ? accounts_.sent : accounts_.rejected) += rows;
    backlog_->finish();
    has_block_ = false;
    if (backlog_->counts().waiting == 0) flush_due_ns_ = never_ns;
    look_after();
}

void Depot::count_requests(std::uint64_t count) {
    const std::lock_guard<std::mutex> lock(mutex_);
    accounts_.requests += count;
    look_after();
}

void Depot::count_failure() {
    const std::lock_guard<std::mutex> lock(mutex_);
    ++accounts_.failures;
    look_after();
}

void Depot::abandon() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (backlog_->is_lasting()) return;
    BlockLimits all;
    while (backlog_->counts().waiting > 0) {
        accounts_.abandoned += backlog_->take(all).rows;
        backlog_->finish();
    }
    look_after();
}

// -- Accounts ------------------------------------------------------------------------------------

Accounts Depot::accounts() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return accounts_;
}

void Depot::look_after() {
    accounts_.backlog = backlog_->counts();
    published_->publish(accounts_);
    report_fault();
    report_dropping();
}

void Depot::report_fault() {
    const std::string fault = backlog_->fault();
    if (fault == fault_seen_) return;
    const std::uint64_t dropped = accounts_.backlog.dropped;
    if (fault.empty()) {
        log(LATMON_LOG_INFO,
            "the spool works again; rows dropped: " + std::to_string(dropped - dropped_at_fault_));
    } else {
        log(LATMON_LOG_ERROR, fault + "; rows that it cannot keep are dropped and counted");
        if (fault_seen_.empty()) dropped_at_fault_ = dropped_seen_;
    }
    fault_seen_ = fault;
}

void Depot::report_dropping() {
    const std::uint64_t dropped = accounts_.backlog.dropped;
    const bool is_new = std::exchange(dropped_seen_, dropped) != dropped;
    if (!is_new || !fault_seen_.empty()) return;
    const std::int64_t now_ns = monotonic_ns();
    const bool is_told = is_dropping_ && now_ns - dropping_ns_ < drop_silence_ns;
    is_dropping_ = true;
    dropping_ns_ = now_ns;
    if (is_told) return;
    log(LATMON_LOG_WARNING, "there is no room for more rows (" +
                                std::to_string(accounts_.backlog.waiting) +
                                " wait): rows are dropped and counted");
}

void Depot::log(latmon_log_level_t level, const std::string& text) const {
    host_->log(host_, level, (what_ + ": " + text).c_str());
}

}  // namespace latmon::plugins::push
