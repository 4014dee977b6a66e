// SPDX-License-Identifier: Apache-2.0
//
// From the name of a plugin to its table of functions: finds the .so, looks at the file before the
// dynamic linker runs any of its code, loads it, and shakes hands over the ABI. A library is never
// unloaded: its threads, its atexit handlers and the strings it gave us may outlive every exporter.
// Calls nothing of the plugin but latmon_plugin_entry(). [main-thread]
#pragma once

#include "base/error.hpp"
#include "config/config.hpp"

#include <latmon/plugin.h>

#include <span>
#include <string>
#include <vector>

namespace latmon {

struct LoadedPlugin {
    const latmon_plugin_t* table =
        nullptr;             // Static in the library; never NULL after load_plugin().
    std::string file;        // Absolute path of the .so.
    std::string identity{};  // Of what was loaded: see identity_of_file().
};

// Tells one file under a path from another that takes its place there; "" if there is none. What
// was loaded stays loaded: dlopen() gives the old one again for a file of the same inode, and a
// library is never unloaded. [main-thread]
[[nodiscard]] std::string identity_of_file(const std::string& file);

// The directories that NAME.so is looked for in, first match wins: the configured ones, those of
// the environment variable LATMON_PLUGIN_PATH (separated by colons), `plugins` next to the running
// executable (a build tree), and the one that latmon was installed with. Absolute. [main-thread]
[[nodiscard]] std::vector<std::string> plugin_directories(std::span<const std::string> configured);

// Finds, checks and loads what `config` names by `plugin` or `path`. The same file loaded twice is
// one library and one table. Every error is one line that names the file and the cure, with
// ExitCode::configuration. [main-thread]
[[nodiscard]] Result<LoadedPlugin> load_plugin(const ExporterConfig& config,
                                               std::span<const std::string> plugin_path);

// The ancestor's file ([metrics]) must run even where its backend's plugin is not installed: its
// samples then go to stdout, and the log says so. An [[exporters]] table, by contrast, must have
// its plugin. [main-thread]
[[nodiscard]] ExporterConfig with_fallback(const ExporterConfig& config,
                                           std::span<const std::string> plugin_path);

}  // namespace latmon
