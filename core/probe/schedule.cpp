// SPDX-License-Identifier: Apache-2.0
//
// See schedule.hpp; this file only proves that the header stands alone.
#include "probe/schedule.hpp"
