// SPDX-License-Identifier: Apache-2.0
//
// Loading the configuration anew while everything runs; see daemon.hpp. The order is what makes it
// all or nothing: first everything that can fail, then what cannot.
#include "daemon/daemon.hpp"

#include "base/log.hpp"
#include "config/restart_keys.hpp"
#include "daemon/commands.hpp"
#include "daemon/give_back_memory.hpp"

#include <fmt/format.h>
#include <string_view>
#include <utility>

namespace latmon {
namespace {

// An error has as many lines as the configuration has mistakes.
void log_lines(std::string_view text) {
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        log::error("reload: " + std::string(text.substr(0, end)));
        text = end == std::string_view::npos ? "" : text.substr(end + 1);
    }
}

}  // namespace

Result<void> Daemon::reload() {
    const Instant began = clock_.now();
    target_watch_.forget();  // What changed so far is read now.
    Result<void> outcome = try_reload();
    figures_.note(outcome.has_value(), clock_.wall_now());
    if (!outcome) {
        log_lines(outcome.error().text);
        log::error("reload: refused, latmon goes on as it was configured before");
        return outcome;
    }
    has_changes_ = true;
    advance_changes();
    log::info(fmt::format("reload: done within {} ms", (clock_.now() - began).ns / 1'000'000));
    return outcome;
}

Result<void> Daemon::try_reload() {
    if (!read_) {
        return fail(ExitCode::configuration,
                    "there is no configuration file, so that there is nothing to load; start "
                    "latmon with one (-c FILE)");
    }
    std::vector<std::string> warnings;
    Result<Config> config = read_(warnings);
    if (!config) return std::unexpected(config.error());
    log_warnings(warnings);
    if (std::string keys = restart_needed(config_, *config); !keys.empty()) {
        return fail(ExitCode::configuration, std::move(keys));
    }
    if (Result<void> admin = admin_->renew(config->admin); !admin) return admin;
    const ExporterSet::Setting setting = setting_of(*config, core_cpus_);
    Result<ExporterChange> exporters = exporters_.prepare(config->exporters, setting);
    if (!exporters) return std::unexpected(exporters.error());
    Result<FleetChange> targets = fleet_.prepare(*config, local_clock_.has_tai_offset);
    if (!targets) return std::unexpected(targets.error());
    if (Result<void> made = exporters_.make_in_place(*exporters, setting); !made) {
        fleet_.discard(*targets);
        return made;
    }
    // Beyond this point nothing fails.
    log_warnings(targets->plan.warnings);
    log::info(fmt::format("reload: {} targets go on, {} go, {} come", targets->plan.kept,
                          targets->plan.removed.size(), targets->plan.added.size()));
    exporters_.commit(std::move(*exporters));
    fleet_.commit(std::move(*targets));
    show_targets();
    if (exporters_.window_lengths() != 0) begin_stats();
    if (config->log_level != config_.log_level || config->log_file != config_.log_file) {
        open_log(*config);
    }
    config_ = std::move(*config);
    config_.targets = std::vector<TargetConfig>();  // The fleet's; `{}` would keep the memory.
    target_watch_.set(config_.target_patterns);
    return {};
}

// All who have asked so far get one answer: what they ask for is the same.
void Daemon::answer_requests() {
    std::vector<std::promise<Result<void>>> asked = requests_.take();
    if (asked.empty()) return;
    const Result<void> outcome = reload();
    for (std::promise<Result<void>>& promise : asked)
        promise.set_value(outcome);
}

void Daemon::look_at_target_files() {
    if (!target_watch_.due() || clock_.now() < *target_watch_.due()) return;
    log::info("target files have changed");
    static_cast<void>(reload());
}

void Daemon::advance_changes() {
    const bool has_probes = fleet_.advance();
    show_targets();  // What has waited may run now.
    const bool has_exporters = exporters_.advance();
    has_changes_ = has_probes || has_exporters;
    if (!has_changes_) give_back_memory();  // Of what was read, and of what has gone.
}

}  // namespace latmon
