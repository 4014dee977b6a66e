// SPDX-License-Identifier: Apache-2.0
//
// Collects everything that is wrong with a configuration, so that an operator mends a file once and
// not once per mistake. It decides nothing about what is wrong. [main-thread]
#pragma once

#include "config/config.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

class Mistakes {
public:
    // `file` opens every line; "": the configuration did not come from a file.
    explicit Mistakes(std::string file);

    // What is wrong, then what to write instead, without a full stop. A position of line 0 belongs
    // to the file as a whole.
    void error(SourcePosition where, std::string_view text);
    void warn(SourcePosition where, std::string_view text);
    // The same for a value that came from the command line, which stands before the file.
    void command_line_error(std::string_view text);
    void command_line_warning(std::string_view text);

    [[nodiscard]] bool has_errors() const noexcept { return !errors_.empty(); }

    // One line per mistake in the file's order; behind the hundredth only how many more there are.
    [[nodiscard]] std::string errors_text() const;
    // One string per warning, in the file's order.
    [[nodiscard]] std::vector<std::string> warnings() const;

private:
    struct Entry {
        SourcePosition where;
        std::string line;
    };
    [[nodiscard]] std::string line_of(SourcePosition where, std::string_view text) const;
    [[nodiscard]] static std::vector<Entry> sorted(std::vector<Entry> entries);

    std::string file_;
    std::vector<Entry> errors_;
    std::vector<Entry> warnings_;
};

// `text` in double quotes for a message: on one line, control characters as '?', long text cut.
[[nodiscard]] std::string in_quotes(std::string_view text);

}  // namespace latmon
