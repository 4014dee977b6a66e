# SPDX-License-Identifier: Apache-2.0
#
# Fails unless the shared object PLUGIN defines exactly one dynamic symbol, latmon_plugin_entry. Any
# other could be taken for a symbol of latmon's or of another plugin's.
execute_process(COMMAND ${NM} -D --defined-only --format=posix ${PLUGIN}
                OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX REPLACE " [^\n]*\n" ";" symbols "${symbols}")
list(REMOVE_ITEM symbols "")
if(NOT symbols STREQUAL "latmon_plugin_entry")
    message(FATAL_ERROR "${PLUGIN} exports: ${symbols}\nlatmon_plugin_entry alone may be seen")
endif()
