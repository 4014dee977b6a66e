// SPDX-License-Identifier: Apache-2.0
//
// The part of a probe's plan that is about its packets: protocol, size, TLVs, key, and what is
// believed of the answers. Pure; part of make_plan().
#pragma once

#include "config/plan.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace latmon {

// Numbers key files in the order of their first use.
class KeyFiles {
public:
    // `files` gets each path once; it must outlive this.
    explicit KeyFiles(std::vector<std::string>& files) noexcept : files_(files) {}

    // The number of `path`; -1 for "": no key.
    [[nodiscard]] std::int32_t index_of(const std::string& path);

private:
    std::vector<std::string>& files_;
    std::map<std::string, std::int32_t> indices_;
};

// What is to be said about the target's packets beforehand: a line, or "".
[[nodiscard]] std::string packet_warning(const TargetConfig& target);

// Fills in what `probe` sends, after its kind and interval. A handshake sends nothing and gets no
// key; TCP probes are STAMP where UDP probes are TWAMP-Light.
void plan_packet(const Config& config, const TargetConfig& target, KeyFiles& key_files,
                 ProbePlan& probe);

}  // namespace latmon
