// SPDX-License-Identifier: Apache-2.0
//
// Reads the keys of one table by type and range and reports what does not fit. A value that does
// not fit leaves its destination alone, so that reading goes on and finds the next mistake.
// [main-thread]
#pragma once

#include "config/mistakes.hpp"
#include "config/ranges.hpp"
#include "config/sections.hpp"
#include "config/toml_tree.hpp"
#include "config/words.hpp"

#include <array>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {

// One string of a list, and where it stands.
struct ListItem {
    std::string text;
    SourcePosition where;
};

class TableReader {
public:
    // All three must outlive the reader.
    TableReader(const TomlTable& table, const Section& section, Mistakes& mistakes);

    // Reports every key that the section does not know, with the one that may have been meant.
    void report_unknown_keys() const;

    // The key's member, or nullptr. The key must be one of the section's.
    [[nodiscard]] const TomlMember* find(std::string_view key) const;

    // Each of these returns true if the key is there and fits, and sets `out` only then.
    bool read(std::string_view key, std::string& out) const;
    bool read(std::string_view key, bool& out) const;
    bool read(std::string_view key, Duration& out, const DurationRange& range) const;
    bool read(std::string_view key, double& out, const NumberRange& range) const;
    template <std::unsigned_integral Integer>
    bool read(std::string_view key, Integer& out, const IntegerRange& range) const {
        const std::optional<std::uint64_t> value = read_integer(key, range);
        if (value) out = static_cast<Integer>(*value);
        return value.has_value();
    }
    template <typename Meaning, std::size_t count>
    bool read(std::string_view key, Meaning& out,
              const std::array<Word<Meaning>, count>& words) const {
        const std::optional<std::size_t> index = read_word(key, texts_of(words));
        if (index) out = words[*index].meaning;
        return index.has_value();
    }

    // A list of strings, or one string as a list of one; nullopt if the key is not there or nothing
    // of it fits. Each item is a plain one-line text; items that do not fit are reported, left out.
    [[nodiscard]] std::optional<std::vector<ListItem>> read_list(std::string_view key) const;

    // Reports that `member` is not what it should be: "a string in quotes".
    void report_type(const TomlMember& member, std::string_view wanted) const;
    // Reports that `typed` is none of `words`.
    void report_word(SourcePosition where, std::string_view typed,
                     std::span<const std::string_view> words) const;

    [[nodiscard]] Mistakes& mistakes() const noexcept { return mistakes_; }
    [[nodiscard]] const TomlTable& table() const noexcept { return table_; }

private:
    [[nodiscard]] std::optional<std::uint64_t> read_integer(std::string_view key,
                                                            const IntegerRange& range) const;
    [[nodiscard]] std::optional<std::size_t> read_word(
        std::string_view key, std::span<const std::string_view> words) const;
    [[nodiscard]] bool check_text(SourcePosition where, std::string_view text) const;

    const TomlTable& table_;
    const Section& section_;
    Mistakes& mistakes_;
};

}  // namespace latmon
