# SPDX-License-Identifier: Apache-2.0
#
# latmon_layer(NAME [USES layer...] [PRIVATE outside library...])
#
# One folder of core/ as one static library. It sees the layers it names and the outside libraries
# that are its own, and no other: a wrong include does not link, and tools/tidy refuses it before.
function(latmon_layer name)
    cmake_parse_arguments(ARG "" "" "USES;PRIVATE" ${ARGN})
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cpp
                                        ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.hpp)
    add_library(latmon_${name} STATIC ${sources})
    target_include_directories(latmon_${name} PUBLIC ${CMAKE_CURRENT_SOURCE_DIR})
    set_target_properties(latmon_${name} PROPERTIES LINKER_LANGUAGE CXX)
    target_link_libraries(latmon_${name} PRIVATE latmon_warnings ${ARG_PRIVATE})
    foreach(layer IN LISTS ARG_USES)
        target_link_libraries(latmon_${name} PUBLIC latmon_${layer})
    endforeach()
    latmon_compile_in_lots(latmon_${name})
endfunction()
