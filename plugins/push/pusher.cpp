// SPDX-License-Identifier: Apache-2.0
//
// Puts the parts together: the record under way is the exporter-thread's alone, the depot is where
// it meets the sender-thread, and the sender has the rest.
#include "push/pusher.hpp"

#include "push/depot.hpp"
#include "push/http.hpp"
#include "push/sender.hpp"
#include "push/spool.hpp"

#include <pthread.h>
#include <sched.h>
#include <cassert>
#include <csignal>
#include <thread>
#include <utility>

namespace latmon::plugins::push {
namespace {

// Blocks every signal while it lives: a thread made meanwhile starts, and stays, without any.
class SignalsBlocked {
public:
    SignalsBlocked() noexcept {
        sigset_t all;
        ::sigfillset(&all);
        ::pthread_sigmask(SIG_SETMASK, &all, &before_);
    }
    ~SignalsBlocked() { ::pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    SignalsBlocked(const SignalsBlocked&) = delete;
    SignalsBlocked& operator=(const SignalsBlocked&) = delete;

private:
    sigset_t before_{};
};

void log_line(const latmon_host_t* host, latmon_log_level_t level, const std::string& text) {
    host->log(host, level, text.c_str());
}

// Null if the spool cannot be used; the log knows why.
std::unique_ptr<Backlog> open_backlog(const latmon_host_t* host, const Settings& settings) {
    if (settings.is_snapshot) return std::make_unique<SnapshotBacklog>();
    if (settings.spool.empty()) {
        return std::make_unique<MemoryBacklog>(settings.buffer_bytes, settings.overflow);
    }
    std::expected<std::unique_ptr<Spool>, std::string> spool =
        Spool::open({.directory = settings.spool,
                     .bytes = settings.spool_bytes,
                     .overflow = settings.overflow});
    if (!spool) {
        log_line(host, LATMON_LOG_ERROR, spool.error());
        return nullptr;
    }
    for (const std::string& note : (*spool)->notes()) {
        log_line(host, LATMON_LOG_WARNING, note);
    }
    const std::uint64_t rows = (*spool)->counts().recovered;
    if (rows > 0) {
        log_line(host, LATMON_LOG_INFO,
                 "spool " + settings.spool + ": rows recovered: " + std::to_string(rows));
    }
    return std::move(*spool);
}

std::string accounts_line(const Accounts& accounts) {
    const Backlog::Counts& backlog = accounts.backlog;
    std::string line = "accounts of rows:";
    for (const auto& [name, value] :
         {std::pair("appended", accounts.appended), std::pair("recovered", backlog.recovered),
          std::pair("sent", accounts.sent), std::pair("rejected", accounts.rejected),
          std::pair("dropped", backlog.dropped), std::pair("superseded", backlog.superseded),
          std::pair("waiting", backlog.waiting), std::pair("abandoned", accounts.abandoned),
          std::pair("requests", accounts.requests), std::pair("failures", accounts.failures),
          std::pair("torn", backlog.torn), std::pair("corrupt", backlog.corrupt)}) {
        line += std::string(" ") + name + "=" + std::to_string(value);
    }
    return line;
}

}  // namespace

struct Pusher::State {
    State(const latmon_host_t* host, Settings given, std::unique_ptr<Backend> server,
          std::unique_ptr<Backlog> backlog, std::string what)
        : settings(std::move(given)),
          backend(std::move(server)),
          client(settings, host->version),
          depot(host, settings, std::move(backlog), std::move(what)),
          sender(settings, *backend, client, depot) {}

    void end_record();
    void move_thread();
    void report();

    Settings settings;
    std::unique_ptr<Backend> backend;
    HttpClient client;
    Depot depot;
    Sender sender;
    std::thread thread;

    // Of the exporter-thread.
    Record record;
    bool is_kept = true;  // All records since the last commit().
    bool is_moved = false;
};

std::unique_ptr<Pusher> Pusher::start(const latmon_host_t* host, Settings settings,
                                      std::unique_ptr<Backend> backend, std::string what) {
    std::unique_ptr<Backlog> backlog = open_backlog(host, settings);
    if (backlog == nullptr) return nullptr;
    if (settings.insecure) {
        log_line(host, LATMON_LOG_WARNING,
                 what +
                     ": insecure = true: any certificate is accepted, so that anybody on the "
                     "way can read and change what is pushed");
    }
    auto state = std::make_unique<State>(host, std::move(settings), std::move(backend),
                                         std::move(backlog), std::move(what));
    State* const thread_state = state.get();
    {
        const SignalsBlocked blocked;
        state->thread = std::thread([thread_state] {
            ::pthread_setname_np(::pthread_self(), "lm-push");
            thread_state->sender.run();
        });
    }
    return std::unique_ptr<Pusher>(new Pusher(std::move(state)));
}

Pusher::Pusher(std::unique_ptr<State> state) : state_(std::move(state)) {}

Pusher::~Pusher() {
    finish();
}

void Pusher::append(std::string_view row) {
    State& state = *state_;
    const bool is_full = state.record.rows >= state.settings.batch_rows ||
                         state.record.payload.size() + row.size() > state.settings.batch_bytes;
    if (is_full && state.record.rows > 0 && !state.settings.is_snapshot) {
        state.end_record();
    }
    state.record.payload += row;
    ++state.record.rows;
}

bool Pusher::commit() {
    State& state = *state_;
    if (!std::exchange(state.is_moved, true)) state.move_thread();
    if (state.record.rows > 0) state.end_record();
    return std::exchange(state.is_kept, true);
}

void Pusher::flush() {
    state_->depot.flush();
}

void Pusher::finish() {
    State& state = *state_;
    if (!state.thread.joinable()) return;
    static_cast<void>(commit());
    const std::int64_t until_ns =
        monotonic_ns() + std::chrono::nanoseconds(state.settings.shutdown_timeout).count();
    state.client.interrupt_at(until_ns);
    state.depot.stop_at(until_ns);
    state.thread.join();
    state.report();
}

void Pusher::State::end_record() {
    const std::size_t usual = record.payload.size();
    const bool is_taken = depot.put(std::exchange(record, Record{}));
    is_kept = is_kept && is_taken;
    record.payload.reserve(usual);
}

// latmon keeps the exporter-thread off the CPUs of its core-threads. The sender-thread was made
// before there was one, and belongs where it is: compressing beside a core-thread would make probes
// late.
void Pusher::State::move_thread() {
    cpu_set_t cpus;
    CPU_ZERO(&cpus);
    if (::pthread_getaffinity_np(::pthread_self(), sizeof(cpus), &cpus) != 0) return;
    ::pthread_setaffinity_np(thread.native_handle(), sizeof(cpus), &cpus);
}

void Pusher::State::report() {
    const Accounts accounts = depot.accounts();
    const bool is_all_sent = accounts.sent == accounts.appended + accounts.backlog.recovered;
    depot.log(is_all_sent ? LATMON_LOG_DEBUG : LATMON_LOG_INFO, accounts_line(accounts));
    if (accounts.is_balanced()) return;
    depot.log(LATMON_LOG_CRITICAL, "the accounts of rows do not balance: this is our mistake");
    assert(false);
}

}  // namespace latmon::plugins::push
