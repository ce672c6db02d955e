#!/bin/sh
echo "$deploy_name $deploy_action${sum:+ $sum}" >>/var/log/steps
