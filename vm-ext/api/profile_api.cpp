// comet.h: profiles.
#include "../machine/profile.h"
#include "guard.h"

using namespace comet;

comet_status comet_profile_new(comet_profile** profile, comet_error* error) {
  return guard(error, [&] {
    require(profile, "profile");
    *profile = new comet_profile();
  });
}

void comet_profile_free(comet_profile* profile) {
  if (profile != nullptr && profile->runs != 0) profile->freed = true;
  else delete profile;
}

comet_status comet_profile_get(const comet_profile* profile, comet_profile_info* info, comet_error* error) {
  return guard(error, [&] {
    require(profile, "profile");
    comet_profile_info value = COMET_PROFILE_INFO_INIT;
    value.instructions = profile->instructions();
    value.lost = profile->lost();
    give(info, value, "info");
  });
}

comet_status comet_profile_read(const comet_profile* profile, uint32_t table, size_t n, comet_profile_row* row,
                                comet_error* error) {
  return guard(error, [&] {
    require(profile, "profile");
    if (table > COMET_PROFILE_ACCESSES)
      fail(COMET_ERROR_ARGUMENT, 0, "a profile has no table %u; COMET_PROFILE_STACKS to COMET_PROFILE_ACCESSES name them", table);
    const CountTable& rows = profile->table(static_cast<comet_profile_table>(table));
    if (n >= rows.size()) fail(COMET_ERROR_ARGUMENT, 0, "the table has %zu rows; row %zu is behind the last", rows.size(), n);
    comet_profile_row value = COMET_PROFILE_ROW_INIT;
    value.of = rows[n].of;
    value.what = rows[n].what;
    value.count = rows[n].count;
    give(row, value, "row");
  });
}
