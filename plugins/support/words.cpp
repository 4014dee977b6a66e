// SPDX-License-Identifier: Apache-2.0
//
// Tables of words, indexed by the ABI's own numbers. The assertions tie each table to its enum's
// last value; a new enumerator goes at the end of both.
#include "support/words.hpp"

#include <array>
#include <cstddef>

namespace latmon::plugins {
namespace {

constexpr std::array<std::string_view, 8> kinds{"unknown", "exchange", "connect", "reflection",
                                                "node",    "counter",  "gauge",   "timing"};
static_assert(kinds.size() == LATMON_KIND_TIMING + 1);

constexpr std::array<std::string_view, 13> statuses{
    "unknown",      "ok",        "lost",        "lost_forward", "lost_reverse", "late",
    "duplicate",    "reordered", "local_error", "unreachable",  "invalid",      "lost_local_tx",
    "lost_local_rx"};
static_assert(statuses.size() == LATMON_STATUS_LOST_LOCAL_RX + 1);

constexpr std::array<std::string_view, 3> protocols{"none", "udp", "tcp"};
static_assert(protocols.size() == LATMON_PROTOCOL_TCP + 1);

constexpr std::array<std::string_view, 5> owd_classes{"none", "bounded", "estimated", "relative",
                                                      "falsified"};
static_assert(owd_classes.size() == LATMON_OWD_FALSIFIED + 1);

constexpr std::array<std::string_view, 5> stamps{"none", "hw", "kernel", "user", "peer"};
static_assert(stamps.size() == LATMON_STAMP_PEER + 1);

constexpr std::array<std::string_view, 7> blames{"sent_late",     "received_late", "loop_stalled",
                                                 "overflow",      "cpu_steal",     "clock_stepped",
                                                 "clock_unsynced"};
static_assert(LATMON_BLAME_CLOCK_UNSYNCED == 1U << (blames.size() - 1));

template <std::size_t Count>
std::string_view word(const std::array<std::string_view, Count>& words, std::size_t index) {
    return index < Count ? words[index] : "unknown";
}

}  // namespace

std::string_view kind_word(std::uint8_t kind) noexcept {
    return word(kinds, kind);
}

std::string_view status_word(std::uint8_t status) noexcept {
    return word(statuses, status);
}

std::string_view protocol_word(std::uint8_t protocol) noexcept {
    return word(protocols, protocol);
}

std::string_view owd_class_word(std::uint8_t owd_class) noexcept {
    return word(owd_classes, owd_class);
}

std::string_view stamp_word(std::uint8_t stamp) noexcept {
    return word(stamps, stamp);
}

std::string_view blame_word(unsigned bit) noexcept {
    return word(blames, bit);
}

}  // namespace latmon::plugins
