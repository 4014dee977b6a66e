// SPDX-License-Identifier: Apache-2.0
//
// A window as one line of JSON, of the same version 1 as samples (support/json.hpp):
//
//   {"v":1,"kind":"window","of":"exchange","protocol":"udp","source":"a","target":"b","tags":[],
//    "series_id":0,"begin_ns":...,"length_ns":1000000000,"samples":10,"statuses":{"ok":9,"lost":1},
//    "answered":9,"lost":1,"lost_local":0,"loss_ratio":0.1,...,
//    "rtt":{"count":9,"sum_ns":...,"min_ns":...,"max_ns":...,"histogram":{"schema":7,
//           "zero_count":0,"positive":[[-1530,4],[-1528,5]],"negative":[]}},
//    "rtt_p50_ns":...,...}
//
// Fields have the names of latmon/window.h and its units, and a field that holds no value is not
// there. A bucket is [index, count]. plugins/json/schema.json is all of this for programs. Any
// thread.
#pragma once

#include "support/json.hpp"

#include <latmon/window.h>

#include <string>

namespace latmon::plugins {

// Appends the object, without a newline. `series` may be NULL: its fields are then left out.
void append_json_window(std::string& out, const latmon_window_t& window,
                        const latmon_series_t* series, Timestamps timestamps = Timestamps::ns);

}  // namespace latmon::plugins
