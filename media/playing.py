"""What a worker plays, to legs and into rooms, and the prompts it holds for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from media import control
from media.plane import Plane
from media.player import PlayOptions
from media.prompt_loader import PromptLoader, is_tone

TICK_MS = 20
_PATIENCE = 2.0  # seconds a play command waits for prompts that are just being loaded

PlayCommand = control.Play | control.PausePlaying | control.SeekPlaying | control.StopPlaying
"""What concerns a leg's prompts."""
RoomPlayCommand = control.PlayInRoom | control.StopPlayingInRoom
PromptCommand = control.LoadPrompt | control.ForgetPrompt


class Playing:
    """The prompts of one worker. ``emit`` takes each event for the engine."""

    def __init__(self, plane: Plane, emit: Callable[[control.Event], None]) -> None:
        self._plane = plane
        self._emit = emit
        self._loader = PromptLoader()
        self.prompts: dict[str, str] = {}
        """Where each prompt was read from, by name."""
        self._later: set[str] = set()
        self.counters: Counter[str] = Counter()

    def handle_prompt(self, command: PromptCommand) -> None:
        """Load a prompt, or forget it."""
        bank = self._plane.player.bank
        self._later.discard(command.name)
        if isinstance(command, control.ForgetPrompt):
            self.prompts.pop(command.name, None)
            bank.forget(command.name)
            return
        self.prompts[command.name] = command.path
        if command.later:
            self._later.add(command.name)
            bank.forget(command.name)  # there may be another under this name
        else:
            self._loader.request(command.name, command.path)

    def handle(self, slot: int, command: PlayCommand) -> None:
        """Carry out a command for the leg in a slot."""
        plane = self._plane
        match command:
            case control.Play():
                self._play(slot, command)
            case control.PausePlaying(on=on):
                plane.pause_playing(slot, on=on)
            case control.SeekPlaying(ms=ms, relative=relative):
                plane.seek(slot, round(ms / TICK_MS), relative=relative)
            case control.StopPlaying():
                plane.stop_playing(slot)

    def handle_room(self, command: RoomPlayCommand) -> None:
        """Carry out a command for a room."""
        player = self._plane.mixer.player
        if isinstance(command, control.StopPlayingInRoom):
            player.stop(command.room, music=command.music)
            return
        self._have_loaded(command.items)
        unknown = player.play(
            command.room,
            command.items,
            loop=command.loop,
            tag=command.tag,
            gain_db=command.gain_db,
            music=command.music,
        )
        self.counters["unknown_prompts"] += len(unknown)

    def _play(self, slot: int, command: control.Play) -> None:
        self._have_loaded(command.items)
        unknown = self._plane.play(
            slot,
            command.items,
            loop=command.loop,
            tag=command.tag,
            skip=command.skip,
            options=PlayOptions(
                command.stop_on_digit, command.stop_on_speech, command.gain_db, command.under
            ),
        )
        for name in unknown:
            self.counters["unknown_prompts"] += 1
            self._emit(control.LegFailed(command.leg, f"unknown_prompt {name}"))

    def _have_loaded(self, names: list[str]) -> None:
        """Wait a moment for prompts that are on their way; a tone is computed, and some are read, when first played."""
        bank = self._plane.player.bank
        for name in dict.fromkeys(names):
            if bank.get(name) is None and (is_tone(name) or name in self._later):
                self._loader.request(name, self.prompts.get(name, ""))
        if any(bank.get(name) is None for name in names):
            self.take(wait=_PATIENCE)

    def take(self, wait: float = 0.0) -> None:
        """Take over what was loaded; with ``wait``, all that was asked for, so many seconds for each."""
        for loaded in self._loader.take(wait=wait):
            if loaded.coded is None:
                self._emit(control.PromptRefused(loaded.name, loaded.reason))
            else:
                prompt = self._plane.player.bank.store(loaded.name, loaded.coded)
                self._emit(control.PromptLoaded(loaded.name, prompt.frames))

    def stop(self) -> None:
        """Load no more."""
        self._loader.stop()
