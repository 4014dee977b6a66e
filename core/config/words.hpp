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

inline constexpr std::array<Word<ProbeProtocol>, 4> probe_protocol_words{
    {{"auto", ProbeProtocol::automatic},
     {"stamp", ProbeProtocol::stamp},
     {"twamp-light", ProbeProtocol::twamp_light},
     {"latency-monitor", ProbeProtocol::ancestor}}};

inline constexpr std::array<Word<TimestampFormat>, 2> timestamp_format_words{
    {{"ntp", TimestampFormat::ntp}, {"ptp", TimestampFormat::ptp}}};

inline constexpr std::array<Word<StampPolicy>, 4> stamp_policy_words{
    {{"auto", StampPolicy::automatic},
     {"hardware", StampPolicy::hardware},
     {"kernel", StampPolicy::kernel},
     {"user", StampPolicy::user}}};

// What is assumed of a peer's reflector.
inline constexpr std::array<Word<ReflectorMode>, 3> reflector_mode_words{
    {{"auto", ReflectorMode::automatic},
     {"stateful", ReflectorMode::stateful},
     {"stateless", ReflectorMode::stateless}}};

// What our own reflector is: ReflectorConfig::is_stateful.
inline constexpr std::array<Word<bool>, 2> own_mode_words{
    {{"stateful", true}, {"stateless", false}}};

inline constexpr std::array<Word<OnSsidZero>, 3> on_ssid_zero_words{
    {{"continue", OnSsidZero::keep}, {"base", OnSsidZero::base}, {"stop", OnSsidZero::stop}}};

inline constexpr std::array<Word<ClockTrust>, 5> clock_trust_words{
    {{"auto", ClockTrust::automatic},
     {"kernel", ClockTrust::kernel},
     {"chrony", ClockTrust::chrony},
     {"operator", ClockTrust::operator_},
     {"none", ClockTrust::none}}};

// Bits of TargetConfig::tlvs, in the order in which room is given to them: see probe_size.hpp.
inline constexpr std::array<Word<std::uint32_t>, 7> tlv_words{
    {{"exchange", tlv_exchange_bit},
     {"follow_up", tlv_follow_up_bit},
     {"timestamp_info", tlv_timestamp_info_bit},
     {"class_of_service", tlv_class_of_service_bit},
     {"direct_measurement", tlv_direct_measurement_bit},
     {"location", tlv_location_bit},
     {"access_report", tlv_access_report_bit}}};

// How a module of /probe probes; also the names of the modules that are built in.
inline constexpr std::array<Word<ProbeModuleConfig::Method>, 3> probe_method_words{
    {{"udp", ProbeModuleConfig::Method::udp},
     {"tcp", ProbeModuleConfig::Method::tcp},
     {"tcp_connect", ProbeModuleConfig::Method::tcp_connect}}};

// Bits of ExporterConfig::kinds.
inline constexpr std::array<Word<std::uint32_t>, 7> kind_words{{{"exchange", exchange_kind_bit},
                                                                {"connect", connect_kind_bit},
                                                                {"reflection", reflection_kind_bit},
                                                                {"node", node_kind_bit},
                                                                {"counter", counter_kind_bit},
                                                                {"gauge", gauge_kind_bit},
                                                                {"timing", timing_kind_bit}}};

// Bits of ExporterConfig::window_lengths.
inline constexpr std::array<Word<std::uint32_t>, 3> window_words{
    {{"1s", window_1s_bit}, {"5s", window_5s_bit}, {"60s", window_60s_bit}}};

// StatsConfig::leaves_out_tainted.
inline constexpr std::array<Word<bool>, 2> tainted_words{{{"include", false}, {"exclude", true}}};

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

// The word for `meaning`; "" if there is none.
template <typename Meaning, std::size_t count>
[[nodiscard]] constexpr std::string_view text_of(const std::array<Word<Meaning>, count>& words,
                                                 Meaning meaning) noexcept {
    for (const Word<Meaning>& word : words) {
        if (word.meaning == meaning) return word.text;
    }
    return "";
}

// The words for the bits of `mask` with commas between, in the order of `words`.
[[nodiscard]] std::string list_of(std::span<const Word<std::uint32_t>> words, std::uint32_t mask);

// Which of `words` is `typed`, in any case.
[[nodiscard]] std::optional<std::size_t> find_word(
    std::string_view typed, std::span<const std::string_view> words) noexcept;

// What is wrong with `typed`, which is none of `words`, and what to write instead: "... is not
// known here; did you mean ...? write one of ...".
[[nodiscard]] std::string describe_unknown(std::string_view typed,
                                           std::span<const std::string_view> words);

}  // namespace latmon
