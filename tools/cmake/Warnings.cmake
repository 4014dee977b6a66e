# SPDX-License-Identifier: Apache-2.0
#
# The warnings that every target of ours is built with; each is an error. Outside headers are SYSTEM
# and exempt.
add_library(latmon_warnings INTERFACE)
target_compile_options(latmon_warnings INTERFACE
    -Wall -Wextra -Wpedantic -Werror
    -Wshadow             # An inner name that hides an outer one reads as the outer one.
    -Wconversion         # A silent narrowing of nanoseconds is a wrong figure.
    -Wsign-conversion    # Likewise a negative delay that turns into a huge one.
    -Wcast-align         # Packets are octets; casting them to structs is undefined on some CPUs.
    -Wformat=2           # A format string from outside is a hole.
    -Wimplicit-fallthrough
    -Wno-restrict        # GCC 12 at -O3 sees overlaps in std::string where there are none.
    $<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor>   # Deleting through a base would leak the rest.
    $<$<COMPILE_LANGUAGE:CXX>:-Wold-style-cast>     # A C cast hides which cast it is.
    $<$<COMPILE_LANGUAGE:CXX>:-Woverloaded-virtual> # An override that is not one.
    $<$<COMPILE_LANGUAGE:CXX>:-Wduplicated-cond>    # The second branch can never run.
    $<$<COMPILE_LANGUAGE:CXX>:-Wlogical-op>)        # && where & was meant.
# Lots.cmake: what is one source's own is not its neighbour's.
set(is_in_lots $<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>)
target_compile_options(latmon_warnings INTERFACE
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,${is_in_lots}>:-Wno-shadow>
    $<$<AND:$<COMPILE_LANGUAGE:CXX>,${is_in_lots}>:-Wno-subobject-linkage>)
