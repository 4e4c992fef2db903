(##namespace ("repl/screen#" call-with-screen call-with-cursor screen-draw! screen-forget! segments->line))
