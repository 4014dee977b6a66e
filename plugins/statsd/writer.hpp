// SPDX-License-Identifier: Apache-2.0
//
// Counts, gauges and times as lines of statsd. Counts and gauges are always sent; of times a share
// only, if the operator wants that, and the line then says which. In the mode "dogstatsd" times of
// one kind go into one line ("latmon.rtt:0.1:0.2|d|#..."), which is held back until it is as long
// as a packet or write_values() is called. On the exporter-thread.
//
//   NAME:VALUE|TYPE[|@RATE][|#TAGS][|c:CONTAINER][|T<seconds>]
#pragma once

#include "statsd/naming.hpp"
#include "statsd/packets.hpp"
#include "support/counters.hpp"

#include <latmon/host.h>

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::plugins::statsd {

struct LineOptions {
    Mode mode = Mode::statsd;
    std::string timer = "ms";  // The type of times: "ms", or of Datadog "h" or "d".
    double sample_rate = 1;    // The share of times that is sent, in (0, 1].
    std::size_t packet_bytes = 1'432;
    bool packs_values = false;    // Several times in a line.
    bool has_timestamps = false;  // Counts and gauges say of when they are.
};

// Times of one kind of one series, and those that wait for their line.
struct Timer {
    Identity identity{};
    std::string values{};  // "0.1:0.2"
    std::uint32_t count = 0;
};

class Writer {
public:
    // Takes packets; they are its own until it returns.
    using Send = std::function<void(std::span<const Packet> packets)>;
    Writer(const latmon_host_t* host, const LineOptions& options, Send send);

    // A time. `timer` must stay where it is until write_values().
    void time(Timer& timer, std::int64_t value_ns);

    // By how much a count grew. `time_s`: of when it is, since 1970.
    void count(const Identity& identity, std::uint64_t value, std::int64_t time_s);

    // What a quantity is: of time, as whole number, or any; one that is not finite is not sent.
    void gauge_time(const Identity& identity, std::int64_t value_ns, std::int64_t time_s);
    void gauge_integer(const Identity& identity, std::int64_t value, std::int64_t time_s);
    void gauge(const Identity& identity, double value, std::int64_t time_s);

    // Writes the lines that are held back.
    void write_values();
    // Sends the packets that are complete; write_out(): all.
    void send_complete();
    void write_out();

private:
    [[nodiscard]] bool is_chosen() noexcept;
    void append_time(std::string& out, std::int64_t value_ns) const;
    void write_timer(Timer& timer);
    void gauge_text(const Identity& identity, std::string_view value, std::int64_t time_s);
    void append_line(const Identity& identity, std::string_view value, std::string_view type,
                     std::string_view rest);
    [[nodiscard]] std::string timestamp(std::int64_t time_s) const;
    void add(Weight weight);

    const latmon_host_t* host_;
    LineOptions options_;
    Send send_;
    Packets packets_;
    std::string timer_type_;    // "|ms", with the rate behind it.
    std::uint64_t random_;      // State of the generator.
    std::vector<Timer*> held_;  // Those with values that wait.
    std::string line_;          // Kept for its memory.
    bool has_reported_long_ = false;
    Counter too_long_;     // Lines that no packet can hold.
    Counter sampled_out_;  // Times left out, by sample_rate.
    Counter negative_;     // Times left out: plain statsd has no negative ones.
};

}  // namespace latmon::plugins::statsd
