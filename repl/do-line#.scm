(##namespace ("repl/do-line#" do-line))
