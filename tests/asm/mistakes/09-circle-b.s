; the other half
        .include "09-circular-include.s"
