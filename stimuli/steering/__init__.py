"""Steering: propose, render, score, keep the best, repeat (PAMELA, section 5). This is its public surface; `loop` is the loop itself."""

from stimuli.steering.chains import Candidate, Chain, Course, Guard, Iteration, Rescored, Stages, Steering
from stimuli.steering.loop import most_images, steer, steer_all

__all__ = ["Candidate", "Chain", "Course", "Guard", "Iteration", "Rescored", "Stages", "Steering", "most_images", "steer", "steer_all"]
