// SPDX-License-Identifier: Apache-2.0
//
// See commands.hpp.
#include "daemon/commands.hpp"

#include "base/log.hpp"
#include "config/plan_notes.hpp"
#include "daemon/thread_setup.hpp"
#include "exporter/exporter.hpp"
#include "exporter/library.hpp"
#include "probe/descriptor_sender.hpp"

#include <netdb.h>
#include <unistd.h>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <set>

namespace latmon {
namespace {

void write_all(int fd, const std::string& text) {
    std::size_t done = 0;
    while (done < text.size()) {
        const ssize_t octets = ::write(fd, text.data() + done, text.size() - done);
        if (octets <= 0) return;  // Whoever was to read it has gone.
        done += static_cast<std::size_t>(octets);
    }
}

bool does_resolve(const std::string& host) {
    addrinfo hints{};
    hints.ai_socktype = SOCK_DGRAM;
    addrinfo* list = nullptr;
    if (::getaddrinfo(host.c_str(), nullptr, &hints, &list) != 0) return false;
    ::freeaddrinfo(list);
    return true;
}

}  // namespace

void print_error(const Error& error) {
    std::string text;
    std::size_t start = 0;
    while (start <= error.text.size()) {
        const std::size_t end = std::min(error.text.find('\n', start), error.text.size());
        if (end > start) text += "latmon: " + error.text.substr(start, end - start) + "\n";
        start = end + 1;
    }
    write_all(STDERR_FILENO, text);
}

void exit_with(const Error& error) {
    print_error(error);
    std::exit(static_cast<int>(error.code));
}

int print(const std::string& text) {
    write_all(STDOUT_FILENO, text);
    return EXIT_SUCCESS;
}

Result<Config> read_config(const Arguments& arguments) {
    std::vector<std::string> warnings;
    const bool must_exist = arguments.is_config_explicit;
    if (!must_exist && !std::filesystem::exists(arguments.config_path)) {
        log::critical("there is no " + arguments.config_path +
                      ": running with defaults, which answer probes and send none");
        return parse_config("", "", arguments.overrides, warnings);
    }
    Result<Config> config = load_config(arguments.config_path, arguments.overrides, warnings);
    log_warnings(warnings);
    return config;
}

std::function<Result<Config>(std::vector<std::string>&)> reader_of(const Arguments& arguments) {
    return [path = arguments.config_path,
            overrides = arguments.overrides](std::vector<std::string>& warnings) {
        return load_config(path, overrides, warnings);
    };
}

Result<Config> read_config_if_there(const Arguments& arguments,
                                    std::vector<std::string>& warnings) {
    const bool is_there =
        arguments.is_config_explicit || std::filesystem::exists(arguments.config_path);
    return is_there ? load_config(arguments.config_path, arguments.overrides, warnings)
                    : parse_config("", "", arguments.overrides, warnings);
}

int check(const Config& config) {
    const Result<Plan> made = make_plan(config, available_cpus());
    std::string faults = made ? "" : made.error().text + "\n";
    std::string plugins;
    for (const ExporterConfig& each : config.exporters) {
        const ExporterConfig exporter = with_fallback(each, config.plugin_path);
        const Result<void> loaded = Exporter::check(exporter, config.file, config.plugin_path);
        if (!loaded) faults += loaded.error().text + "\n";
        if (!exporter.options.empty()) plugins += (plugins.empty() ? "" : ", ") + exporter.name;
    }
    if (!faults.empty()) {
        print_error({.code = ExitCode::configuration, .text = faults});
        return static_cast<int>(made ? ExitCode::configuration : made.error().code);
    }
    const Plan& plan = *made;
    std::string text = describe_plan(plan);
    // With the node's own, above its tables.
    text.insert(text.find('\n') + 1, notes_of_admin(config.admin));
    for (const std::string& warning : descriptor_warnings(plan))
        text += "warning: " + warning + "\n";
    std::set<std::string> names;
    for (const CorePlan& core : plan.cores) {
        for (const ProbePlan& probe : core.probes) {
            if (!probe.address) names.insert(probe.host);
        }
    }
    for (const std::string& host : names) {
        if (!does_resolve(host)) text += "warning: target " + host + " does not resolve now\n";
    }
    if (!plugins.empty()) {
        text += "not checked: plugins read their own keys at the start alone: " + plugins + "\n";
    }
    return print(text);
}

void open_log(const Config& config) {
    const auto level = static_cast<log::Level>(config.log_level);
    if (log::open(level, config.log_file)) return;
    log::error("cannot write log_file " + config.log_file + ": logging to stderr alone");
}

void log_warnings(const std::vector<std::string>& warnings) {
    for (const std::string& warning : warnings)
        log::warning(warning);
}

}  // namespace latmon
