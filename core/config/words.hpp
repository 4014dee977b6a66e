// SPDX-License-Identifier: Apache-2.0
//
// The words that an operator may write for a value, in a file, on the command line and in what
// latmon prints: each list once. Pure data, and looking up in it.
#pragma once

#include "config/config.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace latmon {

// A word and what it stands for.
template <typename Meaning>
struct Word {
    std::string_view text;
    Meaning meaning;
};

inline constexpr std::array<Word<Precision>, 3> precision_words{
    {{"power", Precision::power}, {"balanced", Precision::balanced}, {"spin", Precision::spin}}};

inline constexpr std::array<Word<LogLevel>, 5> log_level_words{{{"debug", LogLevel::debug},
                                                                {"info", LogLevel::info},
                                                                {"warning", LogLevel::warning},
                                                                {"error", LogLevel::error},
                                                                {"critical", LogLevel::critical}}};

// Bits of ExporterConfig::kinds.
inline constexpr std::array<Word<std::uint32_t>, 4> kind_words{{{"exchange", exchange_kind_bit},
                                                                {"connect", connect_kind_bit},
                                                                {"reflection", reflection_kind_bit},
                                                                {"node", node_kind_bit}}};

// What [metrics] and --metrics may name: the ancestor's backends. Each is a plugin of that name.
inline constexpr auto metrics_backends = std::to_array<std::string_view>(
    {"cli", "log", "zeromq", "datadog", "pushgateway", "clickhouse"});

// The texts of a list of words.
template <typename Meaning, std::size_t count>
[[nodiscard]] constexpr std::array<std::string_view, count> texts_of(
    const std::array<Word<Meaning>, count>& words) noexcept {
    std::array<std::string_view, count> texts{};
    for (std::size_t index = 0; index < count; ++index) {
        texts[index] = words[index].text;
    }
    return texts;
}

// Which of `words` is `typed`, in any case.
[[nodiscard]] std::optional<std::size_t> find_word(
    std::string_view typed, std::span<const std::string_view> words) noexcept;

// What is wrong with `typed`, which is none of `words`, and what to write instead: "... is not
// known here; did you mean ...? write one of ...".
[[nodiscard]] std::string describe_unknown(std::string_view typed,
                                           std::span<const std::string_view> words);

}  // namespace latmon
