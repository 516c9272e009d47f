"""Weeks of moved time: crowds of honest people, attackers who wait. Too slow to be measured."""
