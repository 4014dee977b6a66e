// SPDX-License-Identifier: Apache-2.0
//
// Reads exporters of both shapes. What a key means to a plugin is the plugin's affair.
#include "config/read_exporters.hpp"

#include "config/read_options.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <set>
#include <string>

namespace latmon {
namespace {

constexpr std::string_view default_backend = "cli";

// -- [metrics] --------------------------------------------------------------------------------

ExporterConfig compatible_exporter(std::string_view backend) {
    ExporterConfig exporter;
    exporter.plugin = backend;
    exporter.name = backend;
    exporter.kinds = exporter_kinds_compatible;
    exporter.is_compatible = true;
    return exporter;
}

// The backend that -m asks for; nullopt if it does not or if there is none of that name.
std::optional<std::string_view> backend_override(const ConfigOverrides& overrides,
                                                 Mistakes& mistakes) {
    if (!overrides.metrics_backend) return std::nullopt;
    const std::optional<std::size_t> index =
        find_word(*overrides.metrics_backend, metrics_backends);
    if (index) return metrics_backends[*index];
    mistakes.command_line_error(fmt::format(
        "--metrics: {}", describe_unknown(*overrides.metrics_backend, metrics_backends)));
    return std::nullopt;
}

// The backend that the table names; nullopt if it does not or if there is none of that name.
std::optional<std::string_view> backend_of_file(const TableReader& top, const TomlTable& table,
                                                bool is_required) {
    const TomlMember* member = table.find("backend");
    if (member == nullptr) {
        if (is_required) {
            top.mistakes().error(table.where,
                                 "[metrics] has no \"backend\"; add backend = \"cli\" or another");
        }
        return std::nullopt;
    }
    const std::string* text = std::get_if<std::string>(&member->value.data);
    if (text == nullptr) {
        top.report_type(*member, "the name of a backend in quotes");
        return std::nullopt;
    }
    const std::optional<std::size_t> index = find_word(*text, metrics_backends);
    if (index) return metrics_backends[*index];
    top.report_word(member->value.where, *text, metrics_backends);
    return std::nullopt;
}

std::vector<ExporterConfig> read_metrics(const TableReader& top, const TomlMember& member,
                                         std::optional<std::string_view> wanted) {
    const TomlTable* table = std::get_if<TomlTable>(&member.value.data);
    if (table == nullptr) {
        top.report_type(member, "[metrics], with one bracket, above its keys");
        return {};
    }
    const std::optional<std::string_view> named = backend_of_file(top, *table, !wanted);
    ExporterConfig exporter = compatible_exporter(wanted.value_or(named.value_or(default_backend)));
    exporter.where = table->where;
    if (wanted && named && *wanted != *named) {
        top.mistakes().command_line_warning(
            fmt::format("--metrics {} replaces [metrics] of the file with all its keys, which are "
                        "those of {}",
                        *wanted, *named));
    } else {
        constexpr std::array<std::string_view, 1> own_keys{"backend"};
        read_options(*table, own_keys, exporter, top.mistakes());
    }
    return {exporter};
}

// -- [[exporters]] ----------------------------------------------------------------------------

bool is_plugin_name(std::string_view name) noexcept {
    return !name.empty() && std::all_of(name.begin(), name.end(), [](char letter) {
        return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z') ||
               (letter >= '0' && letter <= '9') || letter == '_' || letter == '-';
    });
}

void read_plugin(const TableReader& reader, ExporterConfig& exporter) {
    const bool has_plugin = reader.find("plugin") != nullptr;
    const bool has_path = reader.find("path") != nullptr;
    if (has_plugin == has_path) {
        reader.mistakes().error(
            exporter.where, has_plugin
                                ? "this exporter has both \"plugin\" and \"path\", which is that "
                                  "of the plugin's .so; keep one"
                                : "this exporter names no plugin; add plugin = \"NAME\", or "
                                  "path = \"/where/it/is/NAME.so\"");
    }
    if (reader.read("plugin", exporter.plugin) && !is_plugin_name(exporter.plugin)) {
        reader.mistakes().error(
            reader.find("plugin")->value.where,
            fmt::format("\"plugin\" is {}; write a name without folder and \".so\", or write "
                        "path = ... instead",
                        in_quotes(exporter.plugin)));
    }
    if (reader.read("path", exporter.path) && exporter.path.empty()) {
        reader.mistakes().error(reader.find("path")->value.where,
                                "\"path\" is empty; write where the plugin's .so is");
    }
}

void read_queue_samples(const TableReader& reader, ExporterConfig& exporter) {
    if (!reader.read("queue_samples", exporter.queue_samples, queue_samples_range)) return;
    const std::uint32_t rounded = std::bit_ceil(exporter.queue_samples);
    if (rounded != exporter.queue_samples) {
        reader.mistakes().warn(reader.find("queue_samples")->value.where,
                               fmt::format("\"queue_samples\" is {}; {} are used, the next power "
                                           "of two",
                                           exporter.queue_samples, rounded));
    }
    exporter.queue_samples = rounded;
}

// The words of a list as a mask; nullopt if the key is not there.
template <std::size_t count>
std::optional<std::uint32_t> read_mask(const TableReader& reader, std::string_view key,
                                       const std::array<Word<std::uint32_t>, count>& words) {
    const std::optional<std::vector<ListItem>> items = reader.read_list(key);
    if (!items) return std::nullopt;
    std::uint32_t mask = 0;
    for (const ListItem& item : *items) {
        const std::optional<std::size_t> index = find_word(item.text, texts_of(words));
        if (index) {
            mask |= words[*index].meaning;
        } else {
            reader.report_word(item.where, item.text, texts_of(words));
        }
    }
    return mask;
}

// What of samples and windows it takes. Either list may be empty, but not both.
void read_taken(const TableReader& reader, ExporterConfig& exporter) {
    exporter.kinds = read_mask(reader, "samples", kind_words);
    exporter.window_lengths = read_mask(reader, "windows", window_words);
    const TomlMember* const samples = reader.find("samples");
    const TomlValue::List* const list =
        samples == nullptr ? nullptr : std::get_if<TomlValue::List>(&samples->value.data);
    const bool has_no_samples = list != nullptr && list->empty();
    if (has_no_samples && exporter.window_lengths.value_or(0) == 0) {
        reader.mistakes().error(samples->value.where,
                                "\"samples\" is empty, so that the exporter would get nothing; "
                                "leave the key out, or the exporter, or add windows = [\"1s\"]");
    }
}

ExporterConfig read_exporter(const TomlTable& table, Mistakes& mistakes) {
    const TableReader reader(table, exporter_section, mistakes);
    ExporterConfig exporter;
    exporter.where = table.where;
    read_plugin(reader, exporter);
    reader.read("name", exporter.name);
    read_queue_samples(reader, exporter);
    read_taken(reader, exporter);
    read_options(table, exporter_section.keys, exporter, mistakes);
    return exporter;
}

// The name of an exporter that was given none: its plugin's.
std::string plugin_name(const ExporterConfig& exporter) {
    if (!exporter.plugin.empty()) return exporter.plugin;
    std::string name = exporter.path.substr(exporter.path.rfind('/') + 1);
    if (name.ends_with(".so")) name.resize(name.size() - 3);
    return name.empty() ? "exporter" : name;
}

// Names that were given come first, whatever their order; the others are numbered around them.
void name_exporters(std::vector<ExporterConfig>& exporters, Mistakes& mistakes) {
    std::set<std::string> taken;
    for (const ExporterConfig& exporter : exporters) {
        if (exporter.name.empty() || taken.insert(exporter.name).second) continue;
        const auto twin = std::find_if(
            exporters.begin(), exporters.end(),
            [&exporter](const ExporterConfig& other) { return other.name == exporter.name; });
        mistakes.error(exporter.where, fmt::format("exporter {} has the name of the one in line "
                                                   "{}; give one of the two another \"name\"",
                                                   in_quotes(exporter.name), twin->where.line));
    }
    for (ExporterConfig& exporter : exporters) {
        if (!exporter.name.empty()) continue;
        const std::string plugin = plugin_name(exporter);
        exporter.name = plugin;
        for (std::uint32_t number = 2; !taken.insert(exporter.name).second; ++number) {
            exporter.name = fmt::format("{}-{}", plugin, number);
        }
    }
}

std::vector<ExporterConfig> read_tables(const TableReader& top, const TomlMember& member) {
    std::vector<ExporterConfig> exporters;
    const TomlValue::List* values = std::get_if<TomlValue::List>(&member.value.data);
    if (values == nullptr) {
        top.report_type(member, "[[exporters]], with two brackets, above each exporter");
        return exporters;
    }
    for (const TomlValue& value : *values) {
        if (const TomlTable* table = std::get_if<TomlTable>(&value.data)) {
            exporters.push_back(read_exporter(*table, top.mistakes()));
        } else {
            top.mistakes().error(value.where, fmt::format("\"exporters\" holds {}; write an "
                                                          "[[exporters]] table with a \"plugin\"",
                                                          type_name(value)));
        }
    }
    if (exporters.size() > limits::exporters_max) {
        top.mistakes().error(exporters[limits::exporters_max].where,
                             fmt::format("there are {} exporters; {} are the most",
                                         exporters.size(), limits::exporters_max));
    }
    name_exporters(exporters, top.mistakes());
    return exporters;
}

}  // namespace

std::vector<ExporterConfig> read_exporters(const TableReader& top,
                                           const ConfigOverrides& overrides) {
    const TomlMember* metrics = top.find("metrics");
    const TomlMember* exporters = top.find("exporters");
    const std::optional<std::string_view> wanted = backend_override(overrides, top.mistakes());
    if (exporters != nullptr) {
        if (metrics != nullptr) {
            top.mistakes().error(metrics->where,
                                 "[metrics] and [[exporters]] do not go together; write each "
                                 "backend as one [[exporters]] table");
            static_cast<void>(read_metrics(top, *metrics, std::nullopt));  // Its own mistakes.
        }
        if (wanted) {
            top.mistakes().command_line_error(
                "--metrics does not go together with [[exporters]] of the file; leave it out");
        }
        return read_tables(top, *exporters);
    }
    if (metrics != nullptr) return read_metrics(top, *metrics, wanted);
    return {compatible_exporter(wanted.value_or(default_backend))};
}

}  // namespace latmon
