// SPDX-License-Identifier: Apache-2.0
//
// Where lines go: a file, standard output or a Unix socket. Each keeps exact accounts: a line that
// was handed over is counted as written or as lost, once it has left the buffer. One thread at a
// time; what may block says so.
#pragma once

#include "support/output.hpp"

#include <string>

namespace latmon::plugins {

class Destination {
public:
    Destination() = default;
    virtual ~Destination() = default;
    Destination(const Destination&) = delete;
    Destination& operator=(const Destination&) = delete;

    // False, after saying why in the log, if it can never be written to. [main-thread]
    [[nodiscard]] virtual bool open() = 0;

    // Whole lines are appended to it, each with its newline, and then offered.
    [[nodiscard]] virtual std::string& buffer() noexcept = 0;
    // Writes if enough has come together.
    virtual void offer() = 0;
    // Writes all there is.
    virtual void write_out() = 0;
    // Opens what it writes to anew.
    virtual void reopen() = 0;

    [[nodiscard]] virtual LineCounts counts() const noexcept = 0;
};

}  // namespace latmon::plugins
