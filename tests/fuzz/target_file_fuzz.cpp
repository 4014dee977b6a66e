// SPDX-License-Identifier: Apache-2.0
//
// Files with targets, which some other program writes. The JSON library says what is JSON; what the
// values mean is ours: a file is refused as a whole in one clean line, or each target is one that
// may stand in logs and exporters' formats, and the same file written anew from what was read is
// read the same. A libFuzzer target.
#include "base/assert.hpp"
#include "config/target_file.hpp"

#include <algorithm>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace latmon {
namespace {

bool is_clean(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char letter) {
        return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
    });
}

std::string key_of(const std::string& tag) {
    return tag.substr(0, tag.find(':'));
}

void check_target(const FileTarget& target) {
    LATMON_ASSERT(!target.host.empty() && is_clean(target.host));
    LATMON_ASSERT(target.port != 0);
    LATMON_ASSERT(is_clean(target.label));
    for (const std::string& tag : target.tags) {
        LATMON_ASSERT(tag.find(':') != std::string::npos && !tag.starts_with(':'));
        LATMON_ASSERT(!tag.starts_with("__") && is_clean(tag));
    }
    const auto follows = [](const std::string& left, const std::string& right) {
        return key_of(left) >= key_of(right);
    };
    LATMON_ASSERT(std::adjacent_find(target.tags.begin(), target.tags.end(), follows) ==
                  target.tags.end());
}

// A host with a closing bracket in it never stood in brackets; any other may.
std::string host_text(const FileTarget& target) {
    const bool is_bare = target.host.find(']') != std::string::npos;
    std::string text = is_bare ? target.host : "[" + target.host + "]";
    if (target.port) text += ":" + std::to_string(*target.port);
    return text;
}

std::string written(const std::vector<FileTarget>& targets) {
    nlohmann::json groups = nlohmann::json::array();
    for (const FileTarget& target : targets) {
        nlohmann::json labels = nlohmann::json::object();
        labels["__latmon_label"] = target.label;
        for (const std::string& tag : target.tags)
            labels[key_of(tag)] = tag.substr(tag.find(':') + 1);
        groups.push_back({{"targets", {host_text(target)}}, {"labels", labels}});
    }
    return groups.dump();
}

bool is_same(const FileTarget& left, const FileTarget& right) {
    return left.host == right.host && left.port == right.port && left.label == right.label &&
           left.tags == right.tags;
}

void check_text(std::string_view text) {
    const Result<std::vector<FileTarget>> read = parse_target_file(text, "fuzz.json");
    if (!read) {
        LATMON_ASSERT(read.error().code == ExitCode::configuration);
        LATMON_ASSERT(read.error().text.starts_with("fuzz.json: ") && is_clean(read.error().text));
        return;
    }
    LATMON_ASSERT(read->size() <= file_targets_max);
    std::for_each(read->begin(), read->end(), check_target);
    const Result<std::vector<FileTarget>> again = parse_target_file(written(*read), "fuzz.json");
    LATMON_ASSERT(again && again->size() == read->size());
    LATMON_ASSERT(std::equal(read->begin(), read->end(), again->begin(), is_same));
}

}  // namespace
}  // namespace latmon

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    latmon::check_text(std::string_view(reinterpret_cast<const char*>(data), size));
    return 0;
}
