// SPDX-License-Identifier: Apache-2.0
//
// Carries rows to an HTTP server: the one mechanism of every exporter that pushes. Rows become
// records, records wait in a bounded backlog (memory, or a spool that survives a crash), a
// sender-thread of its own makes blocks of them and sends one at a time, in order, until the server
// has it or says that it never will. The exporter-thread never waits for the network.
//
//   export_batch() -> append()* commit() -> backlog -> block -> request -> verdict
//
// Accounts, in rows:
//
//   appended + recovered = sent + rejected + dropped + superseded + waiting + abandoned
//
// exported as counters of the exporter (include/latmon/counters.h): push_rows_appended_total,
// push_rows_sent_total, push_rows_rejected_total (the server will not have them),
// push_rows_dropped_total (the backlog was full), push_rows_superseded_total,
// push_rows_abandoned_total (time was up when latmon stopped; with a spool they wait there, and are
// not abandoned), push_rows_waiting, push_rows_recovered_total (out of the spool at start),
// push_requests_total, push_failures_total (requests that must come again),
// push_spool_torn_total (records that a crash cut short: one per crash at most),
// push_spool_corrupt_total (records that something else spoiled).
// The log is told once when pushing begins to fail, with the reason, and once when it works again,
// with what happened meanwhile. At the end it is told all accounts: level debug if every row was
// sent, else info.
#pragma once

#include "push/backend.hpp"
#include "push/settings.hpp"

#include <latmon/latmon.h>

#include <memory>
#include <string_view>

namespace latmon::plugins::push {

class Pusher {
public:
    // Opens the spool, if there is one, and starts the sender-thread with all signals blocked.
    // Null, after saying why in the log, if the spool cannot be used. `what` names the destination
    // in the log: "http://127.0.0.1:8123, table metrics". [main-thread & in create()]
    [[nodiscard]] static std::unique_ptr<Pusher> start(const latmon_host_t* host, Settings settings,
                                                       std::unique_ptr<Backend> backend,
                                                       std::string what);

    // As finish(), if that was not called. [main-thread]
    ~Pusher();
    Pusher(const Pusher&) = delete;
    Pusher& operator=(const Pusher&) = delete;

    // Adds one row to the record under way. [exporter-thread]
    void append(std::string_view row);

    // Ends the record under way, if it has rows: hands it to the backlog. With a spool it is on its
    // way to disk when this returns (written, so that it survives us, though not a power cut), and
    // false means that it is not: the rows are gone and counted as dropped. A record longer than
    // batch_bytes is cut between rows. Call it at the end of every export_batch(), whose result it
    // is. [exporter-thread]
    [[nodiscard]] bool commit();

    // Sends what waits, although the batch is not full. Not for a plugin's own flush(), which comes
    // about once a second: flush_interval is the operator's. [exporter-thread]
    void flush();

    // Sends what is left within shutdown_timeout, then the farewell, and joins the thread.
    // [main-thread]
    void finish();

private:
    struct State;
    explicit Pusher(std::unique_ptr<State> state);
    std::unique_ptr<State> state_;
};

}  // namespace latmon::plugins::push
