// SPDX-License-Identifier: Apache-2.0
//
// Verdicts and what follows from them. The log is told of changes, not of attempts.
#include "push/sender.hpp"

#include <algorithm>
#include <exception>
#include <new>
#include <utility>

namespace latmon::plugins::push {
namespace {

constexpr std::size_t body_octets_shown = 200;

// A server that rejects some of what it gets would else fill the log.
constexpr std::int64_t rejection_pause_ns = 60'000'000'000;

// Between two looks at rows that wait and cannot be read.
constexpr std::int64_t stall_pause_ns = 1'000'000'000;

// One line of what a server said, fit for a log.
std::string shown(std::string_view text) {
    std::string line(text.substr(0, body_octets_shown));
    std::replace_if(
        line.begin(), line.end(),
        [](char letter) { return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f; },
        ' ');
    while (line.ends_with(' ')) {
        line.pop_back();
    }
    if (text.size() > body_octets_shown) line += "...";
    return line;
}

std::string describe(const Response& response) {
    if (response.status == 0) return shown(response.error);
    const std::string body = shown(response.body);
    return "HTTP " + std::to_string(response.status) + (body.empty() ? "" : ": " + body);
}

std::string rows_text(std::uint64_t rows) {
    return std::to_string(rows) + (rows == 1 ? " row" : " rows");
}

}  // namespace

Sender::Sender(const Settings& settings, Backend& backend, HttpClient& client, Depot& depot)
    : settings_(settings),
      backend_(backend),
      client_(client),
      depot_(depot),
      backoff_(settings.retry_min, settings.retry_max),
      rows_max_(settings.batch_rows) {}

void Sender::run() noexcept {
    while (!is_done_) {
        try {
            run_once();
        } catch (...) {  // Memory is out; the block is still under way.
            not_before_ns_ = monotonic_ns() + std::chrono::nanoseconds(settings_.retry_min).count();
            is_done_ = depot_.is_time_up();
        }
    }
    try {
        say_farewell();
        depot_.abandon();
    } catch (...) {  // Nothing of it can be told any more.
        return;
    }
}

void Sender::run_once() {
    depot_.wait(not_before_ns_);
    const bool is_stopping = depot_.is_stopping();
    if (is_stopping && depot_.is_time_up()) {
        is_done_ = true;
        return;
    }
    // Time is short: however long it has not worked, there are several attempts left.
    if (is_stopping && !std::exchange(is_stop_seen_, true)) backoff_.reset();
    const Block block =
        depot_.take({.records = SIZE_MAX, .rows = rows_max_, .bytes = settings_.batch_bytes});
    if (block.records.empty()) {
        is_done_ = is_stopping;
        if (depot_.is_stalled()) not_before_ns_ = monotonic_ns() + stall_pause_ns;
        return;
    }
    const Verdict verdict = attempt(block);
    settle(block, verdict);
    const bool has_failed = verdict == Verdict::retry || verdict == Verdict::refused;
    // What waits in a spool may as well wait there until latmon starts again.
    if (has_failed && depot_.is_stopping() && depot_.is_lasting()) is_done_ = true;
}

Verdict Sender::attempt(const Block& block) {
    reason_.clear();
    retry_after_s_.reset();
    Verdict verdict = Verdict::retry;
    try {
        verdict = attempt_unguarded(block);
    } catch (const std::bad_alloc&) {
        reason_ = "memory is out";
    } catch (const std::exception& error) {  // The same rows would bring the same again.
        reason_ = error.what();
        verdict = Verdict::drop;
    }
    // Whose request it was, prepare()'s or the block's: the server asks us to wait with all.
    if (client_.requests() != requests_counted_) retry_after_s_ = client_.retry_after_s();
    depot_.count_requests(client_.requests() - requests_counted_);
    requests_counted_ = client_.requests();
    return verdict;
}

Verdict Sender::attempt_unguarded(const Block& block) {
    if (!is_prepared_) {
        const Verdict verdict = backend_.prepare(client_, reason_);
        if (verdict == Verdict::refused) return Verdict::refused;
        if (verdict != Verdict::done) return Verdict::retry;
        is_prepared_ = true;
    }
    reason_.clear();
    if (is_doubtful(block)) {
        const std::optional<Verdict> verdict = backend_.settle(client_, block, reason_);
        if (verdict) return *verdict;
        settled_id_ = block.id;
        reason_.clear();
    }
    const Request request = backend_.build(block);
    return request.url.empty() ? Verdict::done : send(block, request);
}

// In doubt from the first octet on, until an answer says that there is none.
Verdict Sender::send(const Block& block, const Request& request) {
    const std::size_t doubtful_before =
        std::exchange(doubtful_records_, std::max(doubtful_records_, block.records.size()));
    settled_id_.clear();
    const Response response = client_.send(request);
    const Verdict verdict = backend_.judge(response, reason_);
    if (reason_.empty()) reason_ = describe(response);
    if (verdict != Verdict::done && !backend_.may_have_taken(response)) {
        doubtful_records_ = doubtful_before;
        settled_id_ = block.id;
    }
    return verdict;
}

bool Sender::is_doubtful(const Block& block) const noexcept {
    return (block.is_doubtful || doubtful_records_ > 0) && settled_id_ != block.id;
}

void Sender::finish(const Block& block, Fate fate) {
    doubtful_records_ -= std::min(doubtful_records_, block.records.size());
    depot_.finish(block, fate);
}

void Sender::settle(const Block& block, Verdict verdict) {
    switch (verdict) {
        case Verdict::done:
            return accept(block);
        case Verdict::split:
            return split(block);
        case Verdict::drop:
            return reject(block);
        case Verdict::retry:
        case Verdict::refused:
            return fail(verdict);
    }
}

void Sender::accept(const Block& block) {
    finish(block, Fate::sent);
    backoff_.reset();
    not_before_ns_ = 0;
    // Carefully up again: a block that is too large costs a request.
    rows_max_ = std::min<std::uint64_t>(settings_.batch_rows, rows_max_ + rows_max_ / 8 + 1);
    if (told_ == Verdict::done) return;
    told_ = Verdict::done;
    const Accounts accounts = depot_.accounts();
    const std::int64_t lasted_s = (monotonic_ns() - failing_since_ns_) / 1'000'000'000;
    depot_.log(LATMON_LOG_INFO, "works again after " + std::to_string(lasted_s) + " s and " +
                                    std::to_string(failures_) + " failed request(s); " +
                                    rows_text(accounts.backlog.dropped - dropped_before_) +
                                    " dropped meanwhile, " + rows_text(accounts.backlog.waiting) +
                                    " waiting");
}

void Sender::reject(const Block& block) {
    const std::uint64_t rows = block.rows;
    finish(block, Fate::rejected);
    is_prepared_ = false;
    not_before_ns_ = 0;
    rows_rejected_ += rows;
    const std::int64_t now_ns = monotonic_ns();
    if (rejection_told_ns_ != 0 && now_ns - rejection_told_ns_ < rejection_pause_ns) return;
    rejection_told_ns_ = now_ns;
    depot_.log(LATMON_LOG_ERROR, "the server will not have " +
                                     rows_text(std::exchange(rows_rejected_, 0)) + ": " + reason_ +
                                     "; they are gone and counted as rejected");
}

void Sender::split(const Block& block) {
    const std::size_t records = block.records.size();
    if (records < 2) return reject(block);
    depot_.count_failure();
    if (!std::exchange(is_split_told_, true)) {
        depot_.log(LATMON_LOG_INFO, rows_text(block.rows) +
                                        " at once are too large for the server: smaller requests "
                                        "from now on, as it takes them");
    }
    rows_max_ = std::max<std::uint64_t>(1, block.rows / 2);
    depot_.shorten(records / 2);
    not_before_ns_ = 0;
}

void Sender::fail(Verdict verdict) {
    depot_.count_failure();
    is_prepared_ = false;
    const std::int64_t now_ns = monotonic_ns();
    not_before_ns_ = now_ns + std::chrono::nanoseconds(pause_after(verdict)).count();
    const Accounts accounts = depot_.accounts();
    if (told_ == Verdict::done) {
        failing_since_ns_ = now_ns;
        failures_ = 0;
        dropped_before_ = accounts.backlog.dropped;
    }
    ++failures_;
    if (told_ == verdict) return;
    told_ = verdict;
    const std::string rows = rows_text(accounts.backlog.waiting);
    if (verdict == Verdict::refused) {
        depot_.log(LATMON_LOG_ERROR, "the server refuses us: " + reason_ +
                                         "; correct the credentials; " + rows +
                                         " wait meanwhile, and more until there is no room");
    } else {
        depot_.log(LATMON_LOG_WARNING, "does not work: " + reason_ + "; " + rows +
                                           " wait, and more until there is no room");
    }
}

milliseconds Sender::pause_after(Verdict verdict) {
    const double share = std::uniform_real_distribution<double>(0.0, 1.0)(random_);
    const std::int64_t stop_ns = depot_.stop_ns();
    if (!depot_.is_stopping()) {
        return verdict == Verdict::refused ? backoff_.longest(retry_after_s_)
                                           : backoff_.pause(share, retry_after_s_);
    }
    // When latmon stops, nobody has to mend anything before the next attempt, and a server that
    // wants us after the end is asked again before.
    const std::int64_t left_s = (stop_ns - monotonic_ns()) / 1'000'000'000;
    const bool is_in_time = retry_after_s_.value_or(0) < left_s;
    return backoff_.pause(share, is_in_time ? retry_after_s_ : std::nullopt);
}

void Sender::say_farewell() {
    if (depot_.accounts().backlog.waiting > 0 || depot_.is_time_up()) return;
    const std::optional<Request> request = backend_.farewell();
    if (!request) return;
    const Response response = client_.send(*request);
    depot_.count_requests(client_.requests() - requests_counted_);
    requests_counted_ = client_.requests();
    std::string reason;
    if (backend_.judge(response, reason) == Verdict::done) return;
    depot_.count_failure();
    depot_.log(LATMON_LOG_WARNING, "the last request, at the end, did not work: " +
                                       (reason.empty() ? describe(response) : reason));
}

}  // namespace latmon::plugins::push
