// SPDX-License-Identifier: Apache-2.0
//
// The border of a plugin written in C++: nothing may throw across it. Each function of the table
// runs its body in one of these.
#pragma once

#include <latmon/latmon.h>

#include <exception>
#include <string>
#include <type_traits>

namespace latmon::plugins {

// For create(): NULL, and the reason in latmon's log, if `body` throws. [main-thread]
template <typename Body>
void* guarded_create(const latmon_host_t* host, Body&& body) noexcept {
    try {
        return body();
    } catch (const std::exception& error) {
        host->log(host, LATMON_LOG_ERROR, error.what());
    } catch (...) {
        host->log(host, LATMON_LOG_ERROR, "an unknown exception");
    }
    return nullptr;
}

// For the rest: what throws (memory is out) costs the batch. A body that returns nothing went well.
// [any-thread]
template <typename Body>
latmon_result_t guarded(Body&& body) noexcept {
    try {
        if constexpr (std::is_void_v<decltype(body())>) {
            body();
            return LATMON_RESULT_OK;
        } else {
            return body();
        }
    } catch (...) {
        return LATMON_RESULT_ERROR;
    }
}

}  // namespace latmon::plugins
