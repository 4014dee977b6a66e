// SPDX-License-Identifier: Apache-2.0
//
// A sample as one line of JSON, version 1 of the shape:
//
//   {"v":1,"kind":"exchange","status":"ok","protocol":"udp","source":"a","target":"b",
//    "tags":["k:v"],"series_id":0,"sequence":7,"core":0,"time_ns":...,"packet_bytes":44,
//    "scheduled_ns":...,"rtt_ns":...,"owd_class":"estimated","t1_stamp":"kernel",...,"blame":[]}
//   {"v":1,"kind":"node","name":"samples_dropped","source":"a","core":0,"time_ns":...,"value":0}
//   {"v":1,"kind":"counter","name":"orders","source":"a","tags":[],...,"time_ns":...,"value":3}
//
// Fields have the names of latmon/sample.h and its units. A field that holds no value is not there:
// a lost probe has no "rtt_ns". Whole numbers are written whole; those above 2^53 (times since
// 1970) lose their last digits in a reader that only has doubles. ASCII only. Any thread.
//
// With Timestamps::rfc3339 points in time are texts instead, and their fields' names do not end in
// _ns: "time":"2026-01-12T11:58:54.587069267Z", "scheduled", "t1" to "t4". plugins/json/schema.json
// is all of this for programs.
#pragma once

#include <latmon/host.h>
#include <latmon/sample.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace latmon::plugins {

// Appends `utf8` in quotes. What is not printable ASCII is written \uXXXX, in pairs of surrogates
// above U+FFFF; octets that are not UTF-8 become U+FFFD, one each.
void append_json_string(std::string& out, std::string_view utf8);

void append_integer(std::string& out, std::int64_t value);

// "192.0.2.1" or "2001:db8::1", from the 16 octets of the ABI.
[[nodiscard]] std::string address_text(const std::uint8_t* address);

// RFC 3339, in UTC, always with nine decimals. The year has four digits for every int64.
void append_rfc3339(std::string& out, std::int64_t time_ns);

enum class Timestamps : std::uint8_t { ns, rfc3339 };

// Appends the object, without a newline. `series` may be NULL: its fields are then left out.
void append_json_sample(std::string& out, const latmon_sample_t& sample,
                        const latmon_series_t* series, Timestamps timestamps = Timestamps::ns);

}  // namespace latmon::plugins
