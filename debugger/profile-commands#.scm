;; The commands are in the command table; what they show of a profile can be had of any.
(##namespace ("debugger/profile-commands#" show-profile write-profile write-program-heat-map))
