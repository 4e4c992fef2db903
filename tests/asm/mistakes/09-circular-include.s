        .include "09-circle-b.s"
_start: halt
