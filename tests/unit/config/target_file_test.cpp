// SPDX-License-Identifier: Apache-2.0
//
// What is read of files with targets, and what of them is refused.
#include "config/target_file.hpp"

#include <doctest/doctest.h>
#include <string>

namespace latmon {
namespace {

std::string refusal(std::string_view text) {
    const Result<std::vector<FileTarget>> read = parse_target_file(text, "a.json");
    if (read) return "";
    CHECK(read.error().code == ExitCode::configuration);
    CHECK(read.error().text.starts_with("a.json: "));
    CHECK(read.error().text.find('\n') == std::string::npos);
    return read.error().text;
}

}  // namespace

TEST_CASE("target_file: hosts, ports and labels, the labels by their keys") {
    const Result<std::vector<FileTarget>> read = parse_target_file(
        R"([{"targets": ["db-1:8001", "10.0.0.1"],
             "labels": {"site": "fra", "rack": "7", "__meta_x": "y", "__latmon_label": "db"}},
            {"targets": ["[2001:db8::1]:99", "2001:db8::2", "[2001:db8::3]"]},
            {"targets": [], "labels": null}])",
        "a.json");
    REQUIRE(read.has_value());
    REQUIRE(read->size() == 5);
    const FileTarget& first = read->front();
    CHECK(first.host == "db-1");
    CHECK(first.port == 8001);
    CHECK(first.label == "db");
    CHECK(first.group == 1);
    CHECK((*read)[3].group == 2);
    CHECK((*read)[3].place == 2);
    CHECK(first.tags == std::vector<std::string>{"rack:7", "site:fra"});
    CHECK((*read)[1].host == "10.0.0.1");
    CHECK_FALSE((*read)[1].port);
    CHECK((*read)[2].host == "2001:db8::1");
    CHECK((*read)[2].port == 99);
    CHECK((*read)[2].tags.empty());
    CHECK((*read)[3].host == "2001:db8::2");
    CHECK((*read)[4].host == "2001:db8::3");
    CHECK(parse_target_file("[]", "a.json")->empty());
}

TEST_CASE("target_file: whatever is wrong refuses the file, in one line") {
    for (const char* const text : {"",
                                   "[",
                                   "{}",
                                   "1",
                                   "[1]",
                                   "[{}]",
                                   R"([{"targets": "a"}])",
                                   R"([{"targets": [1]}])",
                                   R"([{"targets": ["a:"]}])",
                                   R"([{"targets": ["a:0"]}])",
                                   R"([{"targets": ["a:65536"]}])",
                                   R"([{"targets": ["a:1x"]}])",
                                   R"([{"targets": ["[::1"]}])",
                                   R"([{"targets": ["[::1]x"]}])",
                                   R"([{"targets": ["[::1]:"]}])",
                                   R"([{"targets": [""]}])",
                                   R"([{"targets": [":1"]}])",
                                   R"([{"targets": ["a\nb"]}])",
                                   R"([{"targets": ["10.0.0.1\u0000"]}])",
                                   R"([{"targets": ["a"], "labels": []}])",
                                   R"([{"targets": ["a"], "labels": {"k": 1}}])",
                                   R"([{"targets": ["a"], "labels": {"k:l": "v"}}])",
                                   R"([{"targets": ["a"], "labels": {"": "v"}}])",
                                   R"([{"targets": ["a"], "labels": {"k": "v\nw"}}])"}) {
        CAPTURE(text);
        CHECK(refusal(text) != "");
    }
    CHECK(refusal("[").find("not JSON") != std::string::npos);
    CHECK(refusal("[\n  {\"targets\": [\"a\" \"b\"]}]").find("line 2, column 22") !=
          std::string::npos);
    CHECK(refusal("").find("line 1, column 1;") != std::string::npos);
    CHECK(refusal("[2E22222]").find("a number in it is too large") != std::string::npos);
    CHECK(refusal(R"([{"targets": []}, {"targets": ["a", "b:x"]}])")
              .starts_with("a.json: group 2, target 2: target \"b:x\" is none"));
    CHECK(refusal(R"([{"targets": []}, {"targets": [], "labels": {"k": 1}}])")
              .starts_with("a.json: group 2: label \"k\" is none"));
    CHECK(refusal(std::string(200'000, '[')) != "");
}

TEST_CASE("target_file: no more targets than there may be") {
    std::string text = R"([{"targets": ["a")";
    for (std::size_t count = 1; count < file_targets_max; ++count)
        text += R"(,"a")";
    CHECK(parse_target_file(text + "]}]", "a.json")->size() == file_targets_max);
    CHECK(refusal(text + R"(,"a"]}])").find("100000") != std::string::npos);
}

}  // namespace latmon
