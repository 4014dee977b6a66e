// SPDX-License-Identifier: Apache-2.0
//
// See target_file.hpp. The JSON library throws nowhere but where it is asked for the place of an
// error: a mistake is a value.
#include "config/target_file.hpp"

#include "base/host_port.hpp"
#include "config/mistakes.hpp"

#include <fmt/format.h>
#include <glob.h>
#include <sys/stat.h>
#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace latmon {
namespace {

using Json = nlohmann::json;

constexpr std::size_t files_max = 1'000;

std::unexpected<Error> refuse(const std::string& file, std::string_view text) {
    return fail(ExitCode::configuration, fmt::format("{}: {}", file, text));
}

// Names end up in log lines and in the formats of exporters, most of which know no quoting.
bool is_text(std::string_view text) noexcept {
    return std::ranges::none_of(text, [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
}

// What keeps it from being read: the line and column (in octets) where the token ends that is out
// of place, or a number, of which the library does not say where it is.
std::string fault_of(std::string_view text) {
    std::size_t octets = 0;
    try {
        [[maybe_unused]] const Json parsed = Json::parse(text);
    } catch (const Json::parse_error& error) {
        octets = std::min(error.byte == 0 ? 0 : error.byte - 1, text.size());
    } catch (const Json::exception&) {
        return "a number in it is too large";
    }
    const std::string_view before = text.substr(0, octets);
    const std::size_t line_start = before.rfind('\n') + 1;  // npos + 1 is 0.
    return fmt::format("not JSON at line {}, column {}", 1 + std::ranges::count(before, '\n'),
                       1 + octets - line_start);
}

// What a group's labels say of each of its targets. `where`: the file and the group.
Result<FileTarget> read_labels(const Json& labels, const std::string& where) {
    FileTarget target;
    if (!labels.is_object()) {
        return refuse(where, "\"labels\" is no object; write {\"key\": \"value\"}");
    }
    for (const auto& [key, value] : labels.items()) {
        const std::string* const text = value.get_ptr<const std::string*>();
        if (text == nullptr || !is_text(key) || !is_text(*text) || key.empty() ||
            key.find(':') != std::string::npos) {
            return refuse(where, fmt::format("label {} is none; write a key without a colon, and a "
                                             "string on one line",
                                             in_quotes(key)));
        }
        if (key == file_label_key) target.label = *text;
        if (!key.starts_with("__")) target.tags.push_back(key + ":" + *text);
    }
    return target;  // The library has them in the order of their keys.
}

// `number` of the group, from 1.
Result<void> read_group(const Json& group, const std::string& file, std::uint32_t number,
                        std::vector<FileTarget>& targets) {
    const std::string where = fmt::format("{}: group {}", file, number);
    if (!group.is_object() || !group.contains("targets") || !group["targets"].is_array()) {
        return refuse(where,
                      "a group without a list of targets; write "
                      "[{\"targets\": [\"host:port\"], \"labels\": {\"key\": \"value\"}}]");
    }
    const Json no_labels = Json::object();
    const auto labels = group.find("labels");
    Result<FileTarget> common =
        read_labels(labels == group.end() || labels->is_null() ? no_labels : *labels, where);
    if (!common) return std::unexpected(common.error());
    common->group = number;
    for (const Json& item : group["targets"]) {
        ++common->place;
        const std::string* const text = item.get_ptr<const std::string*>();
        std::expected<HostAndPort, HostPortFault> split =
            split_host_port(text != nullptr && is_text(*text) ? *text : std::string());
        if (!split) {
            return refuse(place_in_file(file, number, common->place),
                          fmt::format("target {} is none; write \"host\", \"host:port\" or "
                                      "\"[address]:port\"",
                                      in_quotes(text == nullptr ? item.type_name() : *text)));
        }
        if (targets.size() == file_targets_max) {
            return refuse(file, fmt::format("more than {} targets; list fewer", file_targets_max));
        }
        FileTarget& target = targets.emplace_back(*common);
        target.host = std::move(split->host);
        target.port = split->port;
    }
    return {};
}

}  // namespace

std::string place_in_file(const std::string& file, std::uint32_t group, std::uint32_t place) {
    return fmt::format("{}: group {}, target {}", file, group, place);
}

Result<std::vector<FileTarget>> parse_target_file(std::string_view text, const std::string& file) {
    const Json tree = Json::parse(text, nullptr, false);
    if (tree.is_discarded() || !tree.is_array()) {
        const std::string fault = tree.is_discarded() ? fault_of(text) : "no list of groups";
        return refuse(file, fault + "; write [{\"targets\": [\"host:port\"]}]");
    }
    std::vector<FileTarget> targets;
    std::uint32_t number = 0;
    for (const Json& group : tree) {
        if (Result<void> read = read_group(group, file, ++number, targets); !read) {
            return std::unexpected(read.error());
        }
    }
    return targets;
}

std::vector<std::string> files_of_pattern(const std::string& pattern) {
    std::vector<std::string> files;
    glob_t found{};
    if (::glob(pattern.c_str(), 0, nullptr, &found) == 0) {
        const std::size_t count = std::min<std::size_t>(found.gl_pathc, files_max);
        files.assign(found.gl_pathv, found.gl_pathv + count);
    }
    ::globfree(&found);
    return files;
}

Result<std::string> read_target_file(const std::string& file) {
    struct stat status {};
    const bool is_file = ::stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode);
    std::ifstream stream(file, std::ios::binary);
    if (!is_file || !stream) return refuse(file, "cannot be read; let this user read it");
    if (static_cast<std::size_t>(status.st_size) > target_file_octets_max) {
        return refuse(file, fmt::format("larger than {} octets; write smaller files",
                                        target_file_octets_max));
    }
    // What is added to it meanwhile is for the next time.
    std::string text(static_cast<std::size_t>(status.st_size), '\0');
    stream.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(stream.gcount()));
    return text;
}

}  // namespace latmon
