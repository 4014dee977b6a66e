// SPDX-License-Identifier: Apache-2.0
//
// See writer.hpp. Numbers are written without an exponent: not every server reads one.
#include "statsd/writer.hpp"

#include "support/decimal.hpp"
#include "support/json.hpp"
#include "support/monotonic.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace latmon::plugins::statsd {
namespace {

constexpr std::size_t burst_packets = 32;

void append_fixed(std::string& out, double value) {
    std::array<char, 400> text;  // 309 digits, or 0. and some 340; the shortest that is exact.
    char* const end = text.data() + text.size();
    out.append(text.data(), std::to_chars(text.data(), end, value, std::chars_format::fixed).ptr);
}

}  // namespace

Writer::Writer(const latmon_host_t* host, const LineOptions& options, Send send)
    : host_(host),
      options_(options),
      send_(std::move(send)),
      packets_(options.packet_bytes),
      timer_type_("|" + options.timer),
      random_(static_cast<std::uint64_t>(monotonic_ns())),
      too_long_(host, "lines_too_long_total"),
      sampled_out_(host, "values_sampled_out_total"),
      negative_(host, "values_negative_total") {
    if (options_.sample_rate >= 1) return;
    timer_type_ += "|@";
    append_fixed(timer_type_, options_.sample_rate);
}

// -- Times ----------------------------------------------------------------------------------------

// SplitMix64 (Steele, Lea and Flood 2014): its 53 upper bits as a number in [0, 1).
bool Writer::is_chosen() noexcept {
    if (options_.sample_rate >= 1) return true;
    random_ += 0x9E3779B97F4A7C15U;
    std::uint64_t bits = random_;
    bits = (bits ^ (bits >> 30U)) * 0xBF58476D1CE4E5B9U;
    bits = (bits ^ (bits >> 27U)) * 0x94D049BB133111EBU;
    bits ^= bits >> 31U;
    return static_cast<double>(bits >> 11U) * 0x1p-53 < options_.sample_rate;
}

// Statsd has milliseconds, and so has Datadog's "ms"; its other types have base units.
void Writer::append_time(std::string& out, std::int64_t value_ns) const {
    append_decimal(out, value_ns, options_.timer == "ms" ? 6 : 9);
}

void Writer::time(Timer& timer, std::int64_t value_ns) {
    if (value_ns < 0 && options_.mode == Mode::statsd) {
        negative_.add(1);
        return;
    }
    if (!is_chosen()) {
        sampled_out_.add(1);
        return;
    }
    if (timer.values.empty()) {
        if (options_.packs_values) held_.push_back(&timer);
    } else {
        timer.values += ':';
    }
    append_time(timer.values, value_ns);
    ++timer.count;
    if (!options_.packs_values) {
        write_timer(timer);
        return;
    }
    // One more value has 21 octets at most.
    const Identity& identity = timer.identity;
    const std::size_t size =
        identity.head.size() + timer.values.size() + timer_type_.size() + identity.tail.size() + 22;
    if (size <= packets_.packet_bytes()) return;
    write_timer(timer);
    std::erase(held_, &timer);
}

void Writer::write_timer(Timer& timer) {
    append_line(timer.identity, timer.values, timer_type_, "");
    add({.lines = 1, .values = timer.count});
    timer.values.clear();
    timer.count = 0;
}

void Writer::write_values() {
    for (Timer* const timer : held_)
        write_timer(*timer);
    held_.clear();
}

// -- Counts and gauges ----------------------------------------------------------------------------

std::string Writer::timestamp(std::int64_t time_s) const {
    return options_.has_timestamps ? "|T" + std::to_string(time_s) : "";
}

void Writer::count(const Identity& identity, std::uint64_t value, std::int64_t time_s) {
    append_line(identity, std::to_string(value), "|c", timestamp(time_s));
    add({});
}

void Writer::gauge_time(const Identity& identity, std::int64_t value_ns, std::int64_t time_s) {
    std::string text;
    append_time(text, value_ns);
    gauge_text(identity, text, time_s);
}

void Writer::gauge_integer(const Identity& identity, std::int64_t value, std::int64_t time_s) {
    gauge_text(identity, std::to_string(value), time_s);
}

void Writer::gauge(const Identity& identity, double value, std::int64_t time_s) {
    if (!std::isfinite(value)) return;
    std::string text;
    append_fixed(text, value);
    gauge_text(identity, text, time_s);
}

// To plain statsd a gauge with a sign is a change of one; so a negative one is a fall from 0.
void Writer::gauge_text(const Identity& identity, std::string_view value, std::int64_t time_s) {
    const bool is_change = value.starts_with('-') && options_.mode == Mode::statsd;
    if (is_change) {
        append_line(identity, "0", "|g", "");
        line_ += '\n';
    }
    append_line(identity, value, "|g", timestamp(time_s));
    add({.lines = is_change ? 2U : 1U, .values = 0});
}

// -- Lines ----------------------------------------------------------------------------------------

void Writer::append_line(const Identity& identity, std::string_view value, std::string_view type,
                         std::string_view rest) {
    line_ += identity.head;
    line_ += value;
    line_ += type;
    line_ += identity.tail;
    line_ += rest;
}

void Writer::add(Weight weight) {
    if (!packets_.add(line_, weight)) {
        too_long_.add(weight.lines);
        if (!std::exchange(has_reported_long_, true)) {
            const std::string text = "a line of " + std::to_string(line_.size()) +
                                     " octets fits in no packet and is left out, as all such are: "
                                     "make packet_bytes larger, or names and tags shorter";
            host_->log(host_, LATMON_LOG_WARNING, text.c_str());
        }
    }
    line_.clear();
    if (packets_.complete().size() >= burst_packets) send_complete();
}

void Writer::send_complete() {
    if (packets_.complete().empty()) return;
    send_(packets_.complete());
    packets_.clear_complete();
}

void Writer::write_out() {
    packets_.close();
    send_complete();
}

}  // namespace latmon::plugins::statsd
