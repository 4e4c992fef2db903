(##namespace ("debugger/changes#" note-registers! register-changed? changed-registers))
