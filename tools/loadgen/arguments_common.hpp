// SPDX-License-Identifier: Apache-2.0
//
// What the modes' options have in common: ranges, and options that more than one mode has. Included
// by arguments*.cpp alone.
#pragma once

#include "base/error.hpp"
#include "base/limits.hpp"
#include "base/time.hpp"
#include "loadgen/arguments.hpp"

#include <fmt/format.h>
#include <CLI/CLI.hpp>
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace latmon::loadgen {

inline const CLI::Range port_range(1, 65'535);
inline const CLI::Range count_range(1, 1'000'000);
inline const CLI::Range size_range(static_cast<int>(limits::stamp_base_bytes),
                                   static_cast<int>(limits::probe_bytes_max));
inline const CLI::Range percent_range(0.0, 100.0);
inline const CLI::Range seconds_range(0.001, 86'400.0);
inline const CLI::Range timeout_range(0.001, 60.0);
inline const CLI::Range us_range(0, 60'000'000);
inline const CLI::Range batch_range(1, 1'024);
inline const CLI::Range cpu_range(0, 1'023);

// Options in other units than those they become.
struct TimerOptions {
    std::int64_t spin_last_us = 0;
    std::int64_t trust_us = 1'000;
};

// An option that is one of `names`, which it sets `value` to. Text, and no transformer of CLI11's:
// that prints the values of the names as well, which are octets of any kind.
template <typename Value>
CLI::Option* add_choice(CLI::App& app, const std::string& option,
                        const std::map<std::string, Value>& names, Value& value) {
    std::vector<std::string> choices;
    std::string chosen;
    for (const auto& [name, named] : names) {
        choices.push_back(name);
        if (named == value) chosen = name;
    }
    const auto choose = [&names, &value](const std::string& name) { value = names.at(name); };
    return app.add_option_function<std::string>(option, choose)
        ->check(CLI::IsMember(choices))
        ->default_str(chosen);
}

void add_packets(CLI::App& app, PacketKind& packets, std::string& key_file);
void add_timer(CLI::App& app, TimerOptions& timer, bool& spin);

[[nodiscard]] inline std::unexpected<Error> usage_error(std::string_view text) {
    return fail(ExitCode::usage, fmt::format("{}; see loadgen --help", text));
}

// Options of the simulated network that both ends have. `app` and what was added to it live as long
// as they do.
class LinkArguments {
public:
    explicit LinkArguments(CLI::App& app) : app_(app) {}

    // `packets`: what is reordered and doubled, for the help.
    void add(std::string_view packets);

    // Their part of `way`.
    void apply(DirectionOptions& way) const;
    // Errors: what does nothing by itself, and bursts that a loss cannot have. `loss_percents`: of
    // each way.
    [[nodiscard]] Result<void> check(std::initializer_list<double> loss_percents) const;
    // What does nothing over TCP is an error; `cure`: what else can be done about it.
    [[nodiscard]] Result<void> check_stream(std::string_view cure) const;

private:
    CLI::App& app_;
    double loss_burst_ = 0;
    std::int64_t jitter_us_ = 0;
    JitterShape jitter_shape_ = JitterShape::uniform;
    double reorder_percent_ = 0;
    std::int64_t reorder_by_us_ = 1'000;
    double duplicate_percent_ = 0;
};

// One mode each: adds its options to `app`, and then says what they came to. `app` and what was
// added to it live as long as they do.
class ReflectArguments {
public:
    explicit ReflectArguments(CLI::App& app);
    [[nodiscard]] Result<Command> finish();

private:
    void add_link();
    [[nodiscard]] Result<void> check() const;

    CLI::App& app_;
    LinkArguments link_;
    ReflectOptions options_;
    TimerOptions timer_;
    double loss_percent_ = 0;
    double bit_rate_kbit_ = 0;
    double outage_s_ = 0;
    double outage_period_s_ = 10;
    std::int64_t delay_us_ = 0;
    std::int64_t delay_forward_us_ = 0;
    std::int64_t delay_reverse_us_ = 0;
    std::int64_t queue_us_ = 100'000;
};

class TargetsArguments {
public:
    explicit TargetsArguments(CLI::App& app);
    [[nodiscard]] Result<Command> finish();

private:
    CLI::App& app_;
    TargetsOptions options_;
};

class ProbeArguments {
public:
    explicit ProbeArguments(CLI::App& app);
    [[nodiscard]] Result<Command> finish();

private:
    void add_senders();
    void share_sources();
    [[nodiscard]] Result<void> check_link() const;
    [[nodiscard]] Result<Command> finish_ancestor();

    CLI::App& app_;
    LinkArguments link_;
    ProbeOptions options_;
    TimerOptions timer_{.spin_last_us = 100};
    std::string protocol_ = "udp";
    std::vector<std::string> tlvs_;
    std::uint32_t cpu_ = 0;
};

}  // namespace latmon::loadgen
