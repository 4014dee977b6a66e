// SPDX-License-Identifier: Apache-2.0
//
// See arguments_selftest.hpp.
#include "daemon/arguments_selftest.hpp"

#include "config/cpu_list.hpp"
#include "config/mistakes.hpp"

#include <fmt/format.h>

namespace latmon {
namespace {

// Below two seconds the percentiles are of a handful; above a minute the daemon itself tells.
constexpr DurationRange seconds_range{Duration::from_s(2), Duration::from_s(60),
                                      Duration::from_s(1), "seconds"};
// At 10,000 probes a second each of so many is still probed once a second.
constexpr IntegerRange targets_range{1, 10'000, "targets"};

}  // namespace

void add_selftest(CLI::App& app, SelftestFlags& to) {
    CLI::App& selftest =
        *app.add_subcommand("selftest", "Measure this host: how good its figures can be");
    to.command = &selftest;
    selftest.add_option("FILE", to.path, "The configuration (default: that of -c)");
    selftest.add_option("--seconds", to.seconds, "How long it takes, about (8)")
        ->check(duration_check(seconds_range))
        ->type_name("SECONDS");
    selftest.add_option("--targets", to.options.targets, "How many are probed at once (1000)")
        ->check(integer_check(targets_range))
        ->type_name("COUNT");
    selftest.add_option("--cpu", to.cpus, "The CPU of the sender, and that of the reflector")
        ->type_name("A,B");
    selftest.add_flag("--json", to.options.is_json, "Print one JSON object instead");
    selftest.fallthrough();  // Flags may stand behind the command too.
    selftest.set_help_flag();
}

Result<SelftestOptions> finish_selftest(const SelftestFlags& from) {
    SelftestOptions options = from.options;
    if (from.command->count("--seconds") > 0) {
        options.duration = *to_duration(from.seconds, seconds_range);
    }
    if (from.command->count("--cpu") == 0) return options;
    const std::optional<std::vector<std::uint32_t>> cpus = parse_cpu_list(from.cpus);
    if (!cpus || cpus->empty() || cpus->size() > 2) {
        return fail(ExitCode::usage, fmt::format("--cpu: {} does not fit; write one CPU or two, "
                                                 "such as 0,1",
                                                 in_quotes(from.cpus)));
    }
    options.cpus = *cpus;
    return options;
}

}  // namespace latmon
