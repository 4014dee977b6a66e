// SPDX-License-Identifier: Apache-2.0
//
// The relations between bounds that somebody relies on without saying so in code: masks, the
// kernel's own bounds, and what must fit into what.
#include "base/limits.hpp"

#include <doctest/doctest.h>
#include <bit>
#include <initializer_list>

namespace latmon::limits {
namespace {

TEST_CASE("limits: sizes that are used as masks are powers of two") {
    for (const std::uint32_t size :
         {queue_samples_default, queue_samples_min, queue_samples_max, in_flight_slots_min,
          in_flight_slots_max, sessions_per_core, rate_slots_per_core, submission_entries,
          completion_entries, receive_buffers}) {
        CHECK_MESSAGE(std::has_single_bit(size), size);
    }
}

TEST_CASE("limits: a ring stays within the kernel's bounds") {
    // io_uring_setup(2): at most 32,768 submissions, and no fewer completions than submissions.
    CHECK(submission_entries <= 32'768);
    CHECK(completion_entries >= submission_entries);
    // io_uring_register_buf_ring(3): at most 2^15 buffers.
    CHECK(receive_buffers <= 32'768);
}

TEST_CASE("limits: least, default and most stand in order") {
    CHECK(queue_samples_min <= queue_samples_default);
    CHECK(queue_samples_default <= queue_samples_max);
    CHECK(in_flight_slots_min <= in_flight_slots_max);
    CHECK(interval_ns_min < interval_ns_max);
    CHECK(timeout_ns_min < timeout_ns_max);
    CHECK(stamp_request_bytes_min < stamp_reply_bytes_min);
    CHECK(stamp_reply_bytes_min <= stamp_base_bytes);
    CHECK(stamp_base_bytes <= probe_bytes_max);
}

TEST_CASE("limits: the default queue holds more than one batch") {
    CHECK(queue_samples_default >= 2 * export_batch_samples);
}

}  // namespace
}  // namespace latmon::limits
