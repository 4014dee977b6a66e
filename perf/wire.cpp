// SPDX-License-Identifier: Apache-2.0
//
// What does a packet cost? Writing a probe, reading its reply and answering it, without TLVs (44
// octets) and with those that a probe has by default (100). One thread, no sockets.
#include "packets.hpp"
#include "wire/tlv_reply.hpp"

#include <benchmark/benchmark.h>
#include <vector>

namespace latmon {
namespace {

// A probe just written, and its reply.
struct Packets {
    explicit Packets(bool has_tlvs)
        : plan(plan_of_probe(has_tlvs)),
          probe(plan, zeros, nullptr),
          request{.sequence = 1, .t1 = to_ntp(WallTime{now_ns}), .error_estimate = 1, .ssid = 1} {
        probe.write(request, {});
        reply = make_reply(probe, request, 1, octets);
    }

    static constexpr std::int64_t now_ns = 1'767'225'600'123'456'789;
    const ProbePlan plan;
    std::vector<std::byte> zeros = std::vector<std::byte>(limits::probe_bytes_max);
    PacketTemplate probe;
    SenderPacket request;
    ReplyOctets octets{};
    std::span<const std::byte> reply;
};

void write_probe(benchmark::State& state) {
    Packets packets(state.range(0) != 0);
    for (auto _ : state) {
        ++packets.request.sequence;
        packets.probe.write(packets.request, {});
        benchmark::DoNotOptimize(packets.probe.message().header());
        benchmark::ClobberMemory();
    }
}
BENCHMARK(write_probe)->ArgName("tlvs")->Arg(0)->Arg(1);

void read_reply(benchmark::State& state) {
    const Packets packets(state.range(0) != 0);
    for (auto _ : state) {
        benchmark::DoNotOptimize(decode_reflector(packets.reply));
        benchmark::DoNotOptimize(
            read_reply_tlvs(packets.reply.subspan(limits::stamp_base_bytes), {}));
        benchmark::ClobberMemory();
    }
}
BENCHMARK(read_reply)->ArgName("tlvs")->Arg(0)->Arg(1);

// The pure part of a reflector's work; the copy of the request is part of it here.
void answer_probe(benchmark::State& state) {
    Packets packets(state.range(0) != 0);
    std::uint32_t sequence = 1;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            make_reply(packets.probe, packets.request, ++sequence, packets.octets));
        benchmark::ClobberMemory();
    }
}
BENCHMARK(answer_probe)->ArgName("tlvs")->Arg(0)->Arg(1);

void encode_time(benchmark::State& state) {
    std::int64_t ns = Packets::now_ns;
    for (auto _ : state)
        benchmark::DoNotOptimize(to_ntp(WallTime{++ns}));
}
BENCHMARK(encode_time);

}  // namespace
}  // namespace latmon

BENCHMARK_MAIN();
