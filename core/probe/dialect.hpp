// SPDX-License-Identifier: Apache-2.0
//
// What a probe speaks at the moment, STAMP or the format of the Python tool latency-monitor, and
// when it tries the other one. A far end that knows STAMP alone does not answer the tool's packets,
// and the tool leaves STAMP unanswered; a latmon answers both, and marks its answers to the tool's
// so that it can be told apart:
//
//   stamp  <--  three probes, or one connection, without an answer: in turns  -->  ancestor
//   stamp  <--  an answer with latmon's mark                                  ---  ancestor
//
// What was answered stays until the path is opened anew, and is then what is tried first, and for
// ten seconds of silence: an outage says nothing of what the far end knows. Pure; one per probe, on
// its core-thread.
#pragma once

#include "base/time.hpp"
#include "config/config.hpp"

#include <algorithm>
#include <cstdint>
#include <utility>

namespace latmon {

enum class Dialect : std::uint8_t { stamp, ancestor };

class DialectChoice {
public:
    // Only an automatic protocol leaves a choice; `is_ancestor_first` says where that begins.
    // `interval`, greater than 0: that of the probes.
    DialectChoice(ProbeProtocol protocol, bool is_ancestor_first, Duration interval) noexcept
        : is_automatic_(protocol == ProbeProtocol::automatic),
          silences_proved_(std::max<std::int64_t>(patience / interval, silences_new)) {
        const bool begins = is_automatic_ && is_ancestor_first;
        if (begins || protocol == ProbeProtocol::ancestor) current_ = Dialect::ancestor;
    }

    // What the next probe has to be.
    [[nodiscard]] Dialect current() const noexcept { return current_; }
    // Whether a packet of the ancestor's has to ask for latmon.
    [[nodiscard]] bool asks_for_latmon() const noexcept {
        return is_automatic_ && !has_answered_ && trusts_mark_;
    }

    // A path was opened, the first time or anew. Silence before it still counts: one that is opened
    // anew after every loss would else never come to the other dialect.
    void on_path_opened() noexcept {
        if (has_answered_) trusts_mark_ = true;
        has_answered_ = false;
    }

    // Something in this dialect was answered.
    void on_answer(Dialect dialect) noexcept {
        if (is_automatic_ && dialect != current_) change();
        is_by_mark_ = false;
        has_answered_ = true;
        is_proved_ = true;
        silences_ = 0;
    }

    // Something of the ancestor's was answered with latmon's mark.
    void on_marked_answer() noexcept {
        if (!is_automatic_ || !trusts_mark_) {
            on_answer(Dialect::ancestor);
        } else if (current_ == Dialect::ancestor) {
            is_proved_ = true;  // The ancestor's is understood as well.
            change();
            is_by_mark_ = true;
            has_answered_ = false;
        }
    }

    // A probe in the current dialect was not answered in time.
    void on_silence() noexcept {
        if (!is_automatic_ || has_answered_) return;
        if (++silences_ >= (is_proved_ ? silences_proved_ : silences_new)) turn();
    }

    // A connection in the current dialect ended, or had to be ended, before anything was answered.
    void on_refusal() noexcept {
        has_answered_ = false;
        if (is_automatic_) turn();
    }

private:
    void turn() noexcept {
        // It is latmon, but STAMP does not get through, or it answers only those who have a key.
        if (is_by_mark_) trusts_mark_ = false;
        is_by_mark_ = false;
        change();
    }

    void change() noexcept {
        current_ = current_ == Dialect::stamp ? Dialect::ancestor : Dialect::stamp;
        std::swap(is_proved_, is_other_proved_);
        silences_ = 0;
    }

    static constexpr Duration patience = Duration::from_s(10);
    static constexpr std::int64_t silences_new = 3;

    Dialect current_ = Dialect::stamp;
    bool is_automatic_;
    std::int64_t silences_proved_;
    bool is_proved_ = false;        // The current dialect was answered once.
    bool is_other_proved_ = false;  // The other was.
    bool has_answered_ = false;     // On this path.
    bool is_by_mark_ = false;       // STAMP since a marked answer, and nothing was answered since.
    bool trusts_mark_ = true;
    std::int64_t silences_ = 0;
};

}  // namespace latmon
