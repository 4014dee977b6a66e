// SPDX-License-Identifier: Apache-2.0
//
// See bucket_index.hpp.
#include "stats/bucket_index.hpp"

#include <cmath>

namespace latmon {
namespace bucket_detail {
namespace {

// The 52 bits behind the point of 2^(j/128), rounded to nearest. Written out, because no function
// of the standard library promises to round so.
constexpr std::array<std::uint64_t, bounds_per_octave> mantissas{
    0x0'0000'0000'0000, 0x0'163d'a9fb'3335, 0x0'2c9a'3e77'8061, 0x0'4315'e86e'7f85,
    0x0'59b0'd315'8574, 0x0'706b'29dd'f6de, 0x0'8745'1875'9bc8, 0x0'9e3e'cac6'f383,
    0x0'b558'6cf9'890f, 0x0'cc92'2b72'47f7, 0x0'e3ec'32d3'd1a2, 0x0'fb66'affe'd31b,
    0x1'1301'd012'5b51, 0x1'2abd'c06c'31cc, 0x1'429a'aea9'2de0, 0x1'5a98'c8a5'8e51,
    0x1'72b8'3c7d'517b, 0x1'8af9'388c'8dea, 0x1'a35b'eb6f'cb75, 0x1'bbe0'8404'5cd4,
    0x1'd487'3168'b9aa, 0x1'ed50'22fc'd91d, 0x2'063b'8862'8cd6, 0x2'1f49'917d'dc96,
    0x2'387a'6e75'6238, 0x2'51ce'4fb2'a63f, 0x2'6b45'65e2'7cdd, 0x2'84df'e1f5'6381,
    0x2'9e9d'f51f'dee1, 0x2'b87f'd0da'd990, 0x2'd285'a6e4'030b, 0x2'ecaf'a93e'2f56,
    0x3'06fe'0a31'b715, 0x3'2170'fc4c'd831, 0x3'3c08'b264'16ff, 0x3'56c5'5f92'9ff1,
    0x3'71a7'373a'a9cb, 0x3'8cae'6d05'd866, 0x3'a7db'34e5'9ff7, 0x3'c32d'c313'a8e5,
    0x3'dea6'4c12'3422, 0x3'fa45'04ac'801c, 0x4'160a'21f7'2e2a, 0x4'31f5'd950'a897,
    0x4'4e08'6061'892d, 0x4'6a41'ed1d'0057, 0x4'86a2'b5c1'3cd0, 0x4'a32a'f0d7'd3de,
    0x4'bfda'd536'2a27, 0x4'dcb2'99fd'dd0d, 0x4'f9b2'769d'2ca7, 0x5'16da'a2cf'6642,
    0x5'342b'569d'4f82, 0x5'51a4'ca5d'920f, 0x5'6f47'36b5'27da, 0x5'8d12'd497'c7fd,
    0x5'ab07'dd48'5429, 0x5'c926'8a59'46b7, 0x5'e76f'15ad'2148, 0x6'05e1'b976'dc09,
    0x6'247e'b03a'5585, 0x6'4346'34cc'c320, 0x6'6238'8255'2225, 0x6'8155'd44c'a973,
    0x6'a09e'667f'3bcd, 0x6'c012'750b'dabf, 0x6'dfb2'3c65'1a2f, 0x6'ff7d'f951'9484,
    0x7'1f75'e8ec'5f74, 0x7'3f9a'48a5'8174, 0x7'5feb'5642'67c9, 0x7'8069'4fde'5d3f,
    0x7'a114'73eb'0187, 0x7'c1ed'0130'c132, 0x7'e2f3'36cf'4e62, 0x8'0427'543e'1a12,
    0x8'2589'994c'ce13, 0x8'471a'4623'c7ad, 0x8'68d9'9b44'92ed, 0x8'8ac7'd98a'6699,
    0x8'ace5'422a'a0db, 0x8'cf32'16b5'448c, 0x8'f1ae'9915'7736, 0x9'145b'0b91'ffc6,
    0x9'3737'b0cd'c5e5, 0x9'5a44'cbc8'520f, 0x9'7d82'9fde'4e50, 0x9'a0f1'70ca'07ba,
    0x9'c491'82a3'f090, 0x9'e863'19e3'2323, 0xa'0c66'7b5d'e565, 0xa'309b'ec4a'2d33,
    0xa'5503'b23e'255d, 0xa'799e'1330'b358, 0xa'9e6b'5579'fdbf, 0xa'c36b'bfd3'f37a,
    0xa'e89f'995a'd3ad, 0xb'0e07'298d'b666, 0xb'33a2'b84f'15fb, 0xb'5972'8de5'593a,
    0xb'7f76'f2fb'5e47, 0xb'a5b0'30a1'064a, 0xb'cc1e'904b'c1d2, 0xb'f2c2'5bd7'1e09,
    0xc'199b'dd85'529c, 0xc'40ab'5fff'd07a, 0xc'67f1'2e57'd14b, 0xc'8f6d'9406'e7b5,
    0xc'b720'dcef'9069, 0xc'df0b'555d'c3fa, 0xd'072d'4a07'897c, 0xd'2f87'080d'89f2,
    0xd'5818'dcfb'a487, 0xd'80e3'16c9'8398, 0xd'a9e6'03db'3285, 0xd'd321'f301'b460,
    0xd'fc97'337b'9b5f, 0xe'2646'14f5'a129, 0xe'502e'e78b'3ff6, 0xe'7a51'fbc7'4c83,
    0xe'a4af'a2a4'90da, 0xe'cf48'2d8e'67f1, 0xe'fa1b'ee61'5a27, 0xf'252b'376b'ba97,
    0xf'5076'5b6e'4540, 0xf'7bfd'ad9c'be14, 0xf'a7c1'819e'90d8, 0xf'd3c2'2b8f'71f1,
};

constexpr Tables make_tables() noexcept {
    Tables made{};
    for (std::size_t index = 0; index < bounds_per_octave; ++index)
        made.bounds[index] = mantissas[index];
    made.bounds.back() = std::uint64_t{1} << mantissa_bits;
    for (std::size_t cell = 0; cell < made.below.size(); ++cell) {
        const std::uint64_t edge = std::uint64_t{cell} << (mantissa_bits - cell_bits);
        std::uint8_t below = 0;
        while (made.bounds[below] < edge)
            ++below;
        made.below[cell] = below;
    }
    return made;
}

// What one compare rests on.
constexpr bool has_one_bound_per_cell(const Tables& made) noexcept {
    for (std::size_t index = 1; index < bounds_per_octave; ++index) {
        const std::uint64_t step = made.bounds[index] - made.bounds[index - 1];
        if (step <= std::uint64_t{1} << (mantissa_bits - cell_bits)) return false;
    }
    return true;
}
static_assert(has_one_bound_per_cell(make_tables()));

}  // namespace

constexpr Tables tables = make_tables();

}  // namespace bucket_detail

std::int64_t bucket_value_ns(std::int32_t index) noexcept {
    using namespace bucket_detail;
    constexpr auto per_octave = static_cast<std::int32_t>(bounds_per_octave);
    const auto mantissa_of = [](std::size_t bound) {
        constexpr std::uint64_t one = std::uint64_t{exponent_bias} << mantissa_bits;
        return std::bit_cast<double>(one | tables.bounds[bound]);
    };
    const auto within = static_cast<std::size_t>(index & (per_octave - 1));
    const int octave = (index - static_cast<std::int32_t>(within)) / per_octave;
    const double upper_ns = std::ldexp(mantissa_of(within), octave) * 1e9;
    const double value_ns = upper_ns * (2.0 / (1.0 + mantissa_of(1)));
    constexpr double too_large = 9.2233720368547758e18;  // 2^63
    if (value_ns >= too_large) return std::numeric_limits<std::int64_t>::max();
    return std::llround(value_ns);
}

}  // namespace latmon
